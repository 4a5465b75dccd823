"""A cohort is published: what was proved leaves with its terms and its evidence, everything else stays."""

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from hashlib import file_digest
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from isocenter import pipeline
from isocenter.case import Dataset, Entry, Fact
from isocenter.errors import FileError, InputError, LayoutError, ProofError, SealError, TermsError
from isocenter.pipeline.publishing import require_harmless
from isocenter.testing.phantom import Body, Header, axis_grid, write_series

SHAPE, SPACING_MM = (6, 24, 24), (20.0, 16.0, 16.0)
NAMES = ("Canary", "Finch", "金丝雀", "CANARY-4711", "FINCH-1", "ward canary")
CASES = 3


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an archive of two patients, a vault, and what `deid --prove` made of it, in release/."""
    root = tmp_path_factory.mktemp("world")
    grid = axis_grid("SPL", shape=SHAPE, spacing_mm=SPACING_MM)
    people = (
        Header(name="Canary^Yellow=金丝雀", patient="CANARY-4711", study="first", description="ward canary"),
        Header(name="Canary^Yellow=金丝雀", patient="CANARY-4711", study="second"),
        Header(name="Finch^Red", patient="FINCH-1", study="first"),
    )
    for number, header in enumerate(people):
        body = Body().only("liver", "heart").moved((number, 0, 0))
        write_series(body.sample(grid, SHAPE)[0], root / "archive" / f"Canary {number}", header=header)
    locks = {"vault": root / "vault", "key": root / "vault.key"}
    pipeline.open_vault(**locks, new=True)
    pipeline.deid(root / "archive", root / "release", prove=True, store=root / "store", **locks)
    pipeline.deid(root / "archive", root / "unproved", store=root / "store", **locks)
    pipeline.add_source("ward-3", basis="broad consent, form 3", terms="Name the clinic.", store=root / "store")
    pipeline.ingest(root / "release" / "dicom", dataset="d", source="ward-3", store=root / "store")
    return root


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """Return a folder's path, of which nothing must be left where a test was refused."""
    yield tmp_path / "out"
    assert not list(tmp_path.glob(".*")), "something half-written is left"


def require_nobody(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert not any(name in str(path.relative_to(folder)) for name in NAMES), path
        if path.is_file():
            assert not any(name.encode() in path.read_bytes() for name in NAMES), path


def digests(folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*.dcm"):
        with path.open("rb") as file:
            found.add(file_digest(file, "sha256").hexdigest())
    return found


def test_as_dicom_the_released_files_leave_bit_for_bit(world: Path, out: Path) -> None:
    told = pipeline.publish("d", out, as_="dicom", release=world / "release", store=world / "store").to_json()
    assert (told["cases"], told["form"], told["step"]) == (CASES, "dicom", "publish")
    assert digests(out) == digests(world / "release")
    assert len(list(out.glob("dicom/*/*"))) == CASES
    require_nobody(out)


@pytest.mark.parametrize("form", ["bids", "nnunet"])
def test_every_form_brings_terms_evidence_and_manifest(world: Path, out: Path, form: str) -> None:
    if form == "nnunet":
        with pytest.raises(InputError):  # nobody has outlined anything, and nnU-Net's layout is for outlines
            pipeline.publish("d", out, as_=form, store=world / "store")
        return
    pipeline.publish("d", out, as_=form, store=world / "store")
    assert "Name the clinic." in (out / "TERMS.md").read_text(encoding="utf-8")
    (run,) = (out / "evidence").iterdir()
    assert json.loads((run / "evidence.json").read_text())["proved"] is True
    assert (run / "report.zh.html").is_file()
    listed = json.loads((out / "manifest.json").read_text())
    assert f"evidence/{run.name}/evidence.json" in listed["files"]
    assert "evidence" in (out / ".bidsignore").read_text()
    require_nobody(out)


def test_a_stranger_checks_it_without_the_store(world: Path, out: Path) -> None:
    pipeline.publish("d", out, as_="dicom", release=world / "release", store=world / "store")
    steps = [step for step, _ in pipeline.verify(out, store=None).links]
    assert set(steps) == {"publish", "deid", "source"}
    path = next(out.rglob("*.dcm"))
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(SealError, match="changed"):
        pipeline.verify(out)


def test_evidence_that_is_taken_away_is_missed(world: Path, out: Path) -> None:
    pipeline.publish("d", out, as_="dicom", release=world / "release", store=world / "store")
    next(out.rglob("evidence.json")).unlink()
    with pytest.raises(SealError, match="gone"):
        pipeline.verify(out)


def test_what_nobody_looked_at_again_is_refused(world: Path, out: Path) -> None:
    pipeline.ingest(world / "unproved" / "dicom", dataset="u", source="ward-3", store=world / "store")
    with pytest.raises(ProofError, match="--prove"):
        pipeline.publish("u", out, as_="bids", store=world / "store")


def test_what_never_went_through_deid_is_refused(world: Path, out: Path) -> None:
    pipeline.ingest(world / "archive", dataset="raw", source="ward-3", store=world / "store")
    with pytest.raises(ProofError, match="of 18 files"):
        pipeline.publish("raw", out, as_="bids", store=world / "store")


def test_one_file_that_was_added_to_the_release_is_enough_to_refuse(world: Path, out: Path, tmp_path: Path) -> None:
    shutil.copytree(world / "release" / "dicom", tmp_path / "mixed")
    shutil.copytree(world / "archive" / "Canary 2", tmp_path / "mixed" / "more")
    pipeline.ingest(tmp_path / "mixed", dataset="mixed", source="ward-3", store=world / "store")
    with pytest.raises(ProofError, match="6 of 24 files"):
        pipeline.publish("mixed", out, as_="bids", store=world / "store")


def test_cases_of_unknown_source_are_refused(world: Path, out: Path) -> None:
    pipeline.ingest(world / "release" / "dicom", dataset="whose", store=world / "store")
    with pytest.raises(TermsError, match="3 of 3 cases"):
        pipeline.publish("whose", out, as_="bids", store=world / "store")


def test_a_source_that_does_not_grant_sharing_is_refused(world: Path, out: Path) -> None:
    pipeline.add_source("inside", basis="ethics vote 12", scope=("training",), store=world / "store")
    pipeline.ingest(world / "release" / "dicom", dataset="inside", source="inside", store=world / "store")
    with pytest.raises(TermsError, match="not sharing"):
        pipeline.publish("inside", out, as_="bids", store=world / "store")


def test_as_dicom_the_release_must_be_named_and_be_the_one(world: Path, out: Path, tmp_path: Path) -> None:
    store = world / "store"
    with pytest.raises(LayoutError, match="--from"):
        pipeline.publish("d", out, as_="dicom", store=store)
    with pytest.raises(InputError, match="lacks case"):
        pipeline.publish("d", out, as_="dicom", release=world / "archive", store=store)
    changed = tmp_path / "changed"
    shutil.copytree(world / "release", changed)
    path = next(changed.rglob("*.dcm"))
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(InputError, match="is not one that"):
        pipeline.publish("d", out, as_="dicom", release=changed, store=store)
    assert not out.exists()


def test_after_somebody_was_erased_the_others_can_be_published(world: Path, out: Path, tmp_path: Path) -> None:
    root = tmp_path / "again"
    shutil.copytree(world, root)
    locks = {"vault": root / "vault", "key": root / "vault.key"}
    found = pipeline.find_person(root / "vault", "FINCH-1", key=root / "vault.key", purpose="consent withdrawn")
    person = next(one for one in found.to_json()["people"] if one["project"] == "release")
    pipeline.erase_person(**locks, pseudonym=person["pseudonym"], purpose="withdrawn", store=root / "store")
    told = pipeline.publish("d", out, as_="dicom", release=root / "release", store=root / "store").to_json()
    assert told["cases"] == CASES - 1
    assert len(digests(out)) == 12
    assert pipeline.verify(out).links


@pytest.mark.parametrize(
    ("value", "is_refused"),
    [
        (lambda number: f"MRN-{number}", True),
        (lambda number: 4_711_000 + number, True),
        (lambda number: 20.5 + number, False),  # an age, a size
        (lambda number: ("well", "sick")[number % 2], False),
        (lambda number: None, False),
    ],
)
def test_a_fact_that_may_name_somebody_is_refused(value: Callable[[int], float | str | None], is_refused: bool) -> None:
    entries = tuple(
        Entry(id=f"c{n}", patient=f"p{n}", volumes={"image": "0" * 64}, facts={"told": Fact(value=value(n))})
        for n in range(30)
    )
    dataset = Dataset(name="d", entries=entries, table=None, split=None)
    if not is_refused:
        require_harmless(dataset)
        return
    with pytest.raises(ProofError, match="'told' has 30 different values in 30 patients"):
        require_harmless(dataset)


def test_nothing_is_written_over(world: Path, out: Path) -> None:
    out.mkdir()
    with pytest.raises(FileError, match="exists"):
        pipeline.publish("d", out, as_="bids", store=world / "store")


def test_cases_are_not_called_as_somebody_called_their_files(world: Path, out: Path, tmp_path: Path) -> None:
    raw, rng = tmp_path / "raw", np.random.default_rng(0)
    raw.mkdir()
    for number in range(4):
        shape = (12, 12, 8)
        nib.Nifti1Image(rng.normal(size=shape).astype(np.float32), np.eye(4)).to_filename(raw / f"i{number}.nii.gz")
        labels = np.zeros(shape, np.uint8)
        labels[3 : 5 + number, 3:6, 2:5] = 1
        nib.Nifti1Image(labels, np.eye(4)).to_filename(raw / f"l{number}.nii.gz")
    locks = {"vault": world / "vault", "key": world / "vault.key"}
    pipeline.deid(raw, tmp_path / "clean", prove=True, store=world / "store", **locks)
    laid = tmp_path / "Dataset007_Birds"
    for side in ("imagesTr", "labelsTr"):
        (laid / side).mkdir(parents=True)
    # released files bear pseudonyms: which is which, their content tells
    for path in (tmp_path / "clean" / "pictures").rglob("*.nii.gz"):
        for number in range(4):
            for word, side, name in (("i", "imagesTr", "_0000"), ("l", "labelsTr", "")):
                if np.array_equal(nib.load(path).dataobj, nib.load(raw / f"{word}{number}.nii.gz").dataobj):
                    shutil.copy(path, laid / side / f"Canary_{number}{name}.nii.gz")
    sheet = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1}, "numTraining": 4,
             "file_ending": ".nii.gz"}  # fmt: skip
    (laid / "dataset.json").write_text(json.dumps(sheet))
    taken = pipeline.ingest(laid, dataset="named", source="ward-3", store=world / "store")
    assert {entry.id for entry in taken.dataset.entries} == {f"Canary_{number}" for number in range(4)}
    told = pipeline.publish("named", out, as_="nnunet", store=world / "store").to_json()
    assert (told["cases"], told["dataset"]) == (4, taken.dataset.id)
    published = [path for path in out.rglob("*") if path.is_file()]
    assert not [path for path in published if "Canary" in path.name or b"Canary_" in path.read_bytes()]
    assert pipeline.verify(out).links


def test_pictures_leave_with_the_labels_of_their_table(world: Path, out: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    (archive / "images").mkdir(parents=True)
    lines = ["path,patient,label,name"]
    for number, label in enumerate(("benign", "malignant", "benign", "malignant")):
        Image.fromarray(np.tile(np.arange(16, dtype=np.uint8) * (number + 1), (16, 1))).save(
            archive / "images" / f"Canary{number}.png"
        )
        lines.append(f"images/Canary{number}.png,CANARY-471{number},{label},Finch {'abcd'[number]}")
    (archive / "table.csv").write_text("\n".join(lines), encoding="utf-8")
    site = tmp_path / "site.toml"
    site.write_text('[columns]\nlabel = "what the study asks"\n', encoding="utf-8")
    locks = {"vault": world / "vault", "key": world / "vault.key"}
    release = tmp_path / "release"
    pipeline.deid(
        archive, release, profile=("clean-pixel-data",), site=site, prove=True, store=world / "store", **locks
    )
    require_nobody(release)
    pipeline.ingest(release / "pictures", dataset="pictures", source="ward-3", store=world / "store")
    pipeline.publish("pictures", out, as_="pictures", store=world / "store")
    with (out / "pictures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["label"] for row in rows) == ["benign", "benign", "malignant", "malignant"]
    assert len({row["patient"] for row in rows}) == len(rows)
    require_nobody(out)
    found = pipeline.find_person(locks["vault"], "CANARY-4710", key=locks["key"], purpose="a test")
    assert [person["known_as"] for person in found.to_json()["people"]] == [{"id": ("CANARY-4710",)}]
