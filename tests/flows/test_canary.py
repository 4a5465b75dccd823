"""Nobody's name comes out: a patient called Canary goes through every step, and everything written is searched."""

import json
import sqlite3
from pathlib import Path

import pytest

from isocenter.testing.phantom import Body, axis_grid, write_series
from tests.flows.world import CANARY, SHAPE, SPACING_MM, Ended, World, isocenter

pytestmark = pytest.mark.xdist_group("flows")

SECRETS = ("Canary", "CANARY-4711", "金丝雀", "19610704", "canary study")
MAY_BEAR_IT = {"mask.seg.dcm"}


def needles() -> list[bytes]:
    """Return the secrets in every encoding in which they could lie on disk."""
    found = []
    for secret in SECRETS:
        found += [secret.encode(encoding) for encoding in ("utf-8", "gb18030", "utf-16-le")]
        found.append(json.dumps(secret).strip('"').encode())
    return sorted(set(found))


def search(folder: Path) -> list[str]:
    """Return where below a folder a secret lies, in names and in bytes; database pages and free pages too."""
    found = []
    for path in folder.rglob("*"):
        if any(secret.lower() in path.name.lower() for secret in SECRETS):
            found.append(f"the name {path.name}")
        if path.is_file() and path.name not in MAY_BEAR_IT:
            payload = path.read_bytes()
            found += [f"{path.relative_to(folder)}: {needle!r}" for needle in needles() if needle in payload]
    return found


def silent(ended: Ended) -> None:
    """Fail where a command has said a secret."""
    for secret in SECRETS:
        assert secret not in ended.out + ended.err


@pytest.fixture(scope="module")
def store(world: World) -> Path:
    """Return a store into which the canary's study and a colleague's were taken from DICOM."""
    dicom = world.folder / "dicom"
    body, grid = Body().only("liver", "heart"), axis_grid("SPL", shape=SHAPE, spacing_mm=SPACING_MM)
    write_series(body.sample(grid, SHAPE)[0], dicom / "Canary^Yellow", header=CANARY)
    write_series(body.moved((2, 0, 0)).sample(grid, SHAPE)[0], dicom / "second")
    store = world.folder / "canary-store"
    silent(isocenter("ingest", dicom, "--dataset", "cage", "--store", store))
    return store


def test_ingest_keeps_no_name(store: Path) -> None:
    assert (store / "store.json").is_file()
    assert search(store) == []


def test_lists_and_checks_say_no_name(store: Path) -> None:
    for words in (("datasets", "list"), ("datasets", "show", "cage"), ("check", "cage"), ("verify", "cage")):
        for form in ((), ("--json",)):
            silent(isocenter(*words, *form, "--store", store, code=None))


def test_scan_and_predict_say_no_name_and_write_it_to_the_seg_alone(world: World) -> None:
    silent(isocenter("scan", world.study))
    silent(isocenter("scan", world.study, "--json"))
    out = world.folder / "canary-result"
    silent(world.run("predict", world.model, world.study, "--out", out))
    silent(world.run("report", out, "--lang", "zh,en"))
    silent(world.run("verify", out))
    assert b"Canary" in (out / "mask.seg.dcm").read_bytes()
    assert search(out) == []
    assert search(world.store) == []


def test_errors_say_no_name(world: World, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    for number, path in enumerate(sorted(world.study.iterdir())):
        payload = path.read_bytes()
        (cut / path.name).write_bytes(payload[: len(payload) // 2] if number % 2 else payload)
    silent(isocenter("scan", cut))
    silent(isocenter("convert", cut, tmp_path / "c.nii.gz", code=3))
    silent(world.run("predict", world.model, cut, "--out", tmp_path / "out", code=3))
    assert not (tmp_path / "out").exists()


def test_the_databases_free_pages_hold_no_name(store: Path) -> None:
    for path in store.glob("catalogue.db*"):
        assert not any(needle in path.read_bytes() for needle in needles())
    with sqlite3.connect(store / "catalogue.db") as database:
        assert database.execute("select count(*) from sqlite_master").fetchone()[0] > 0


def test_a_release_names_nobody_and_the_vault_only_with_its_key(world: World, tmp_path: Path) -> None:
    vault, key, out, store = (tmp_path / name for name in ("vault", "vault.key", "out", "store"))
    silent(isocenter("vault", "open", vault, "--key", key, "--new"))
    asked = ("--prove", "--vault", vault, "--key", key, "--store", store)
    silent(isocenter("deid", world.folder / "dicom", out, *asked, "--profile", "clean-descriptors"))
    silent(isocenter("deid", world.folder / "dicom", "--dry-run"))
    silent(isocenter("verify", out, "--json"))
    for folder in (out, vault, store):
        assert search(folder) == []
    silent(isocenter("ingest", out / "dicom", "--dataset", "cage", "--store", store))
    pseudonym = next(path.name for path in (out / "dicom").iterdir())
    told = isocenter("vault", "find", vault, pseudonym, "--key", key, "--purpose", "care").out
    other = isocenter("vault", "find", vault, "CANARY-4711", "--key", key, "--purpose", "care").out
    assert "Canary" in told + other
    silent(isocenter("vault", "open", vault, "--key", key))
