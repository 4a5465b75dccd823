"""A data set leaves as a folder, is verified there, and comes in again."""

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.dicom.seg import write_seg
from isocenter.pipeline import export_dataset, ingest
from isocenter.testing.phantom import Body, axis_grid, write_series
from tests.flows.world import CANARY, isocenter, write_cohort


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with one small data set."""
    folder = tmp_path_factory.mktemp("export")
    cohort = write_cohort(folder / "bodies", count=4)
    isocenter("ingest", cohort, "--dataset", "bodies", "--store", folder / "store")
    return folder / "store"


@pytest.mark.parametrize("form", ["nnunet", "bids"])
def test_an_export_is_verified_and_comes_in_again(store: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    told = isocenter("datasets", "export", "bodies", out, "--as", form, "--store", store, "--json").document
    assert (told["step"], told["form"], told["cases"], told["terms"]) == ("export", form, 4, "CC0-1.0")
    assert told["files"] == len([path for path in out.rglob("*") if path.is_file() and "receipts" not in path.parts])
    assert {link["step"] for link in isocenter("verify", out, "--store", store, "--json").document["links"]} == {
        "export", "ingest",
    }  # fmt: skip
    again = isocenter("ingest", out, "--dataset", f"again-{form}", "--store", store, "--json").document
    assert (again["layout"], again["cases"], again["labelled"]) == (form, 4, 4)
    before, after = (_entries(store, name) for name in ("bodies", f"again-{form}"))
    assert sorted(before) == sorted(after)  # same voxels and labels, so same blobs
    moved = shutil.copytree(out, tmp_path / "moved")
    victim = next(moved.rglob("*.nii.gz"))
    victim.write_bytes(victim.read_bytes() + b"\0")
    ended = isocenter("verify", moved, "--store", store, code=5)
    assert f"{victim.relative_to(moved).as_posix()} was changed after it was sealed" in ended.err


@pytest.mark.parametrize("form", ["nnunet", "bids"])
def test_what_came_as_dicom_leaves_under_pseudonyms(tmp_path: Path, form: str) -> None:
    grid = axis_grid("SPL", shape=(10, 16, 14), spacing_mm=(8.0, 5.0, 6.0))
    for number in range(3):
        volume, mask = Body().only("liver", "heart").varied(np.random.default_rng(number)).sample(grid, (10, 16, 14))
        study = tmp_path / "dicom" / f"Canary^Yellow {number}"
        header = replace(CANARY, patient=f"CANARY-{number}", study=f"canary study {number}")
        paths = write_series(volume, study / "ct", header=header)
        write_seg(mask, sources=paths, path=study / "mask.dcm", algorithm="by hand", version="1")
    store, out = tmp_path / "store", tmp_path / "out"
    before = ingest(tmp_path / "dicom", dataset="studies", store=store).dataset
    export_dataset("studies", out, as_=form, store=store)
    after = ingest(out, dataset="again", store=store).dataset
    assert sorted(digest for entry in before.entries for digest in entry.volumes.values()) == sorted(
        digest for entry in after.entries for digest in entry.volumes.values()
    )
    told = [path.relative_to(out).as_posix() for path in out.rglob("*")]
    held = [(path.suffix, path.read_bytes()) for path in out.rglob("*") if path.is_file()]
    told += [(gzip.decompress(content) if end == ".gz" else content).decode("latin-1") for end, content in held]
    assert not [text[:80] for text in told for word in ("canary", "yellow", "19610704") if word in text.lower()]


def _entries(store: Path, name: str) -> list[tuple[str, str]]:
    from isocenter.store import open_store

    with open_store(store) as house:
        entries = house.datasets.get(name).entries
    return [(*entry.volumes.values(), entry.outlines[0].digest) for entry in entries]  # type: ignore[misc]


def test_an_export_overwrites_nothing_and_leaves_nothing_half_written(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    ended = isocenter("datasets", "export", "bodies", out, "--as", "bids", "--store", store, code=3)
    assert "does not write over anything" in ended.err
    refused = tmp_path / "pictures"
    ended = isocenter("datasets", "export", "bodies", refused, "--as", "pictures", "--store", store, code=3)
    assert "PNG keeps one slice" in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_unknown_names_and_forms_are_said(store: Path, tmp_path: Path) -> None:
    ended = isocenter("datasets", "export", "bodies", tmp_path / "x", "--as", "nnunt", "--store", store, code=3)
    assert "Did you mean 'nnunet'" in ended.err
    isocenter("datasets", "export", "nobody", tmp_path / "x", "--as", "nnunet", "--store", store, code=4)


def test_a_manifest_leads_back_to_the_version(store: Path, tmp_path: Path) -> None:
    told = isocenter(
        "datasets", "export", "bodies", tmp_path / "x", "--as", "nnunet", "--store", store, "--json"
    ).document
    manifest = json.loads((tmp_path / "x" / "manifest.json").read_text())
    assert manifest["dataset"]["id"] == told["dataset"]
    assert (tmp_path / "x" / "receipts" / f"{manifest['dataset']['receipt']}.json").is_file()
    assert (tmp_path / "x" / "receipts" / f"{told['receipt']}.json").is_file()
