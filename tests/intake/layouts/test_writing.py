"""A data set that is written and read again is the same: voxels, masks, patients, facts, days, the test side."""

import csv
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import cast

import nibabel
import numpy as np
import pytest

from isocenter.case import Annotation, Case, Dataset, Entry, Fact, Outline, Side, Source, draw_split
from isocenter.errors import GridError, InputError, LabelError
from isocenter.image import Affine, Label, LabelTable, Mask, Region, Volume
from isocenter.image.raster import picture_affine
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folders import layout_of, read_folder, recognise
from isocenter.intake.layouts.found import Found, Read
from isocenter.intake.layouts.writing import WRITERS
from isocenter.intake.layouts.writing.manifest import write_manifest, write_terms
from isocenter.intake.layouts.writing.order import Order, Writer, Written
from isocenter.plugins import find

TABLE = LabelTable(
    labels=(Label(value=1, name="anterior", colour=(255, 0, 0)), Label(value=2, name="posterior")),
    regions=(Region(name="whole", values=(1, 2)),),
)
SHAPE = (6, 8, 7)
OBLIQUE = Affine.from_parts(
    origin=(-31.0, 12.5, 40.0),
    directions=((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (-1.0, 0.0, 0.0)),
    spacing=(2.5, 0.7, 0.8),
)


def labels_of(seed: int, shape: tuple[int, int, int] = SHAPE, *, values: tuple[int, ...] = (0, 1, 2)) -> np.ndarray:
    return np.random.default_rng(seed).choice(values, shape).astype(np.uint8)


def stack(number: int, *, patient: str, readers: tuple[str, ...] = ("reference",), day: int | None = None) -> Case:
    rng = np.random.default_rng(number)
    volumes = {
        role: Volume(voxels=rng.integers(-50, 900, SHAPE).astype(np.int16), affine=OBLIQUE, modality="MR")
        for role in ("t1w", "flair")
    }
    masks = tuple(
        Annotation(reader=reader, how="manual", mask=Mask(labels=labels_of(number + k), affine=OBLIQUE, table=TABLE))
        for k, reader in enumerate(readers)
    )
    facts = {
        "age": Fact(value=40.5 + number, unit="year"),
        "crp": Fact(value=None if number == 2 else 1.25 * number, unit="mg/L"),
        "site": Fact(value='北京, "A"' if number % 2 else "south"),
    }
    return Case(id=f"case_{number}", patient=patient, volumes=volumes, facts=facts, annotations=masks, day=day)


def picture(number: int, *, patient: str, deep: bool = False, colour: bool = False) -> Case:
    rng, shape = np.random.default_rng(number), (1, 9, 11)
    voxels = rng.integers(0, 4096 if deep else 256, (3, *shape) if colour else shape)
    affine = picture_affine(row_mm=0.143, column_mm=0.1501)
    seen = Volume(voxels=voxels.astype(np.uint16 if deep else np.uint8), affine=affine, is_planar=True)
    mask = Mask(labels=labels_of(number, shape), affine=affine, table=TABLE)
    return Case(
        id=f"case_{number}", patient=patient, volumes={"image": seen}, day=number,
        facts={"label": Fact(value="ill" if number % 2 else "well"), "crp": Fact(value=1.5 * number, unit="mg/L")},
        annotations=(Annotation(reader="reference", mask=mask), Annotation(reader="anna", mask=mask)),
    )  # fmt: skip


def order_of(*cases: Case, table: LabelTable | None = TABLE, licence: str = "CC-BY-4.0") -> Order:
    """Return the order to write cases that are held in memory; the last patient is the test side."""
    entries = tuple(
        Entry(
            id=case.id, patient=case.patient, day=case.day, facts=case.facts,
            volumes=dict.fromkeys(case.volumes, "0" * 64),
            outlines=tuple(Outline(reader=one.reader, digest="0" * 64, how=one.how) for one in case.annotations),
        )
        for case in cases
    )  # fmt: skip
    patients = sorted({case.patient for case in cases})
    fixed: dict[str, Side] = {patients[0]: "validation", patients[-1]: "test"}
    split = draw_split(dict.fromkeys(patients, ""), fixed=fixed) if len(patients) > 2 else None
    source = Source(name="Made up", licence=licence, origin="A. Writer, doi 10.1/x.")
    held = {case.id: case for case in cases}
    return Order(
        dataset=Dataset(name="made-up", entries=entries, table=table, split=split, source=source),
        case=lambda entry: held[entry.id],
    )


def written(order: Order, folder: Path, form: str) -> Written:
    folder.mkdir()
    write = cast("Writer", find(form, table=WRITERS, group="isocenter.writers"))
    told = write(order, folder)
    write_terms(folder, order)
    write_manifest(folder, order, told, form=form, receipt="f" * 64)
    return told


def read_again(folder: Path) -> tuple[Found, list[Case]]:
    found = read_folder(folder, pseudonym=lambda text: f"p{text}")
    things = list(found.read())
    assert not found.issues, [str(issue) for issue in found.issues]
    assert not [str(thing) for thing in things if isinstance(thing, Issue)]
    return found, [thing.case for thing in things if isinstance(thing, Read)]


def require_same(before: Case, after: Case) -> None:
    """Hold a case that was read again against the one that was written."""
    assert next(iter(after.volumes.values())).affine.is_close(
        next(iter(before.volumes.values())).affine, shape=before.annotations[0].mask.shape, tolerance_mm=1e-4
    )
    for role, volume in before.volumes.items():
        np.testing.assert_array_equal(after.volumes[role].voxels, volume.voxels)
        assert after.volumes[role].voxels.dtype == volume.voxels.dtype
        assert after.volumes[role].modality == volume.modality
    assert dict(after.facts.items()) == dict(before.facts)
    assert after.day == before.day


def cohort() -> tuple[Case, ...]:
    return (
        stack(1, patient="pa", day=0), stack(2, patient="pa", day=30), stack(3, patient="pb", day=0),
        stack(4, patient="pc", day=0), stack(5, patient="pd", day=0),
    )  # fmt: skip


def test_every_form_is_a_layout_that_is_read() -> None:
    for form in WRITERS:
        assert layout_of(form).read


def test_nnunet_and_back_is_the_same(tmp_path: Path) -> None:
    cases = cohort()
    written(order_of(*cases), tmp_path / "out", "nnunet")
    assert recognise(tmp_path / "out").name == "nnunet"
    found, again = read_again(tmp_path / "out")
    assert found.table is not None
    assert found.table.structures == TABLE.structures
    assert found.source.licence == "CC-BY-4.0"
    assert found.sides == {"case_5": "test"}
    assert [case.id for case in again] == [case.id for case in cases]
    assert [case.patient for case in again] == ["ppa", "ppa", "ppb", "ppc", "ppd"]
    for before, after in zip(cases, again, strict=True):
        require_same(before, after)
        np.testing.assert_array_equal(after.annotations[0].mask.labels, before.annotations[0].mask.labels)


def test_nnunet_gets_what_its_format_asks_for(tmp_path: Path) -> None:
    order = order_of(*cohort())
    written(order, tmp_path / "out", "nnunet")
    sheet = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert sheet["channel_names"] == {"0": "t1w", "1": "flair"}
    assert sheet["labels"] == {"background": 0, "whole": [1, 2], "anterior": 1, "posterior": 2}
    assert sheet["regions_class_order"] == [1, 1, 2]
    assert (sheet["numTraining"], sheet["file_ending"]) == (4, ".nii.gz")
    names = sorted(path.name for path in (tmp_path / "out" / "imagesTr").iterdir())
    assert names == [f"case_{k}_{c:04d}.nii.gz" for k in range(1, 5) for c in range(2)]
    assert sorted(path.name for path in (tmp_path / "out" / "labelsTs").iterdir()) == ["case_5.nii.gz"]
    folds = json.loads((tmp_path / "out" / "splits_final.json").read_text())
    patient = {entry.id: entry.patient for entry in order.dataset.entries}
    assert sorted(case for fold in folds for case in fold["val"]) == [f"case_{k}" for k in range(1, 5)]
    for fold in folds:
        assert set(fold) == {"train", "val"}
        assert sorted(fold["train"] + fold["val"]) == [f"case_{k}" for k in range(1, 5)]
        assert not {patient[case] for case in fold["train"]} & {patient[case] for case in fold["val"]}


def test_a_single_ct_is_called_ct_so_that_nnunet_clips_it(tmp_path: Path) -> None:
    case = stack(1, patient="pa")
    only = replace(case, volumes={"image": replace(case.volumes["t1w"], modality="CT", unit="HU")})
    written(order_of(only), tmp_path / "out", "nnunet")
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["channel_names"] == {"0": "CT"}
    assert not (tmp_path / "out" / "splits_final.json").exists()
    [again] = read_again(tmp_path / "out")[1]
    assert (again.volumes["image"].modality, again.volumes["image"].unit) == ("CT", "HU")


def test_nnunet_labels_have_no_gaps_and_ignore_comes_last(tmp_path: Path) -> None:
    table = LabelTable(labels=(Label(value=4, name="b"), Label(value=9, name="a")), ignore=2)
    labels = labels_of(1, values=(0, 2, 4, 9))
    case = replace(
        stack(1, patient="pa"),
        annotations=(Annotation(reader="x", mask=Mask(labels=labels, affine=OBLIQUE, table=table)),),
    )
    told = written(order_of(case, table=table), tmp_path / "out", "nnunet")
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["labels"] == {
        "background": 0, "b": 1, "a": 2, "ignore": 3,
    }  # fmt: skip
    stored = np.asarray(
        nibabel.Nifti1Image.from_filename(tmp_path / "out" / "labelsTr" / "case_1.nii.gz").dataobj
    ).transpose(2, 1, 0)
    for ours, theirs in ((0, 0), (4, 1), (9, 2), (2, 3)):
        np.testing.assert_array_equal(stored == theirs, labels == ours)
    assert any("numbered anew" in note for note in told.notes)


def test_nnunet_takes_the_consensus_and_says_that_readers_are_left_out(tmp_path: Path) -> None:
    case = stack(1, patient="pa", readers=("anna", "both"))
    agreed = (case.annotations[0], replace(case.annotations[1], how="consensus"))
    told = written(order_of(replace(case, annotations=agreed)), tmp_path / "out", "nnunet")
    [again] = read_again(tmp_path / "out")[1]
    np.testing.assert_array_equal(again.annotations[0].mask.labels, case.annotations[1].mask.labels)
    assert any("several readers" in note for note in told.notes)


def test_nnunet_refuses_channels_on_two_grids(tmp_path: Path) -> None:
    case = stack(1, patient="pa")
    moved = replace(case.volumes["flair"], affine=OBLIQUE.shifted((1, 0, 0)))
    with pytest.raises(GridError, match=r"flair lies on another grid.*Export as bids"):
        written(order_of(replace(case, volumes={**case.volumes, "flair": moved})), tmp_path / "out", "nnunet")


def test_nnunet_refuses_a_set_without_outlines_and_a_structure_called_background(tmp_path: Path) -> None:
    bare = replace(stack(1, patient="pa"), annotations=())
    with pytest.raises(InputError, match="has no outlines"):
        written(order_of(bare, table=None), tmp_path / "a", "nnunet")
    with pytest.raises(LabelError, match="mean something else"):
        written(order_of(stack(1, patient="pa"), table=LabelTable.of("Background")), tmp_path / "b", "nnunet")


def test_bids_and_back_is_the_same_for_every_reader(tmp_path: Path) -> None:
    cases = tuple(replace(stack(k, patient=case.patient, readers=("anna", "ben-2"), day=case.day))
                  for k, case in enumerate(cohort(), 1))  # fmt: skip
    order = order_of(*cases)
    told = written(order, tmp_path / "out", "bids")
    assert recognise(tmp_path / "out").name == "bids"
    found, again = read_again(tmp_path / "out")
    assert found.table is not None
    assert [(one.value, one.name, one.colour) for one in found.table] == [
        (one.value, one.name, one.colour) for one in TABLE
    ]
    assert any("whole" in note for note in told.notes)
    stated = {"a1": "validation", "a2": "validation", "b1": "train", "c1": "train", "d1": "test"}
    assert found.sides == {f"sub-p{name[0]}_ses-0{name[1]}": side for name, side in stated.items()}
    assert [case.id for case in again] == [f"sub-p{p}_ses-0{s}" for p, s in ("a1", "a2", "b1", "c1", "d1")]
    for before, after in zip(cases, again, strict=True):
        require_same(before, after)
        assert [(one.reader, one.how) for one in after.annotations] == [("anna", "manual"), ("ben-2", "manual")]
        for one, other in zip(after.annotations, before.annotations, strict=True):
            np.testing.assert_array_equal(one.mask.labels, other.mask.labels)


def test_bids_names_say_what_the_specification_asks_for(tmp_path: Path) -> None:
    case = stack(1, patient="p-a")
    roles = {
        "t1": "T1w",
        "t1ce": "ce-gadolinium_T1w",
        "t1_2": "run-2_T1w",
        "flair": "FLAIR",
        "t2w_acq_fast": "acq-fast_T2w",
    }
    volumes = dict.fromkeys(roles, case.volumes["t1w"])
    written(order_of(replace(case, volumes=volumes)), tmp_path / "out", "bids")
    out = tmp_path / "out"
    names = {path.name for path in (out / "sub-pa" / "anat").iterdir()}
    assert names == {f"sub-pa_{name}{end}" for name in roles.values() for end in (".nii.gz", ".json")}
    assert (out / "derivatives" / "reference" / "sub-pa" / "anat" / "sub-pa_dseg.nii.gz").is_file()
    described = json.loads((out / "dataset_description.json").read_text())
    assert {"Name", "BIDSVersion", "License", "DatasetType"} <= set(described)
    derived = json.loads((out / "derivatives" / "reference" / "dataset_description.json").read_text())
    assert derived["DatasetType"] == "derivative"
    assert derived["GeneratedBy"] == [{"Name": "Manual"}]
    assert (out / "README").stat().st_size > 0
    rows = list(csv.DictReader((out / "participants.tsv").open(encoding="utf-8"), delimiter="\t"))
    assert rows[0]["participant_id"] == "sub-pa"
    assert (out / ".bidsignore").read_text().split() == ["/receipts", "/evidence", "manifest.json", "TERMS.md"]


def test_phases_of_a_ct_stay_apart_in_bids(tmp_path: Path) -> None:
    case = stack(1, patient="pa")
    scan = replace(case.volumes["t1w"], modality="CT", unit="HU")
    phases = {"arterial": scan, "venous": replace(scan, voxels=scan.voxels + 1)}
    written(order_of(replace(case, volumes=phases)), tmp_path / "out", "bids")
    [again] = read_again(tmp_path / "out")[1]
    assert {role: volume.unit for role, volume in again.volumes.items()} == {
        "ct_acq_arterial": "HU", "ct_acq_venous": "HU",
    }  # fmt: skip
    np.testing.assert_array_equal(again.volumes["ct_acq_venous"].voxels, scan.voxels + 1)


@pytest.mark.skipif(shutil.which("bids-validator-deno") is None, reason="the official validator is not installed")
def test_the_official_validator_finds_no_error(tmp_path: Path) -> None:
    case = stack(1, patient="pa", readers=("anna", "ben"))
    scan = replace(case.volumes["t1w"], modality="CT", unit="HU")
    strange = replace(stack(6, patient="pe"), volumes={"adc": case.volumes["t1w"], "arterial": scan})
    written(order_of(case, *cohort()[1:], strange), tmp_path / "out", "bids")
    (tmp_path / "out" / "receipts").mkdir()
    (tmp_path / "out" / "receipts" / "signer.pem").write_text("key")
    for folder in (tmp_path / "out", tmp_path / "out" / "derivatives" / "anna"):
        ended = subprocess.run(["bids-validator-deno", "--json", folder], capture_output=True, text=True, check=False)
        issues = json.loads(ended.stdout)["issues"]["issues"]
        assert not [issue for issue in issues if issue["severity"] == "error"]


def test_bids_says_which_roles_it_has_no_name_for(tmp_path: Path) -> None:
    case = stack(1, patient="pa")
    told = written(order_of(replace(case, volumes={"image": case.volumes["t1w"]})), tmp_path / "out", "bids")
    assert any("_image" in note for note in told.notes)
    assert "**/*_image.*" in (tmp_path / "out" / ".bidsignore").read_text()
    [again] = read_again(tmp_path / "out")[1]
    assert list(again.volumes) == ["image"]


def test_bids_keeps_the_marks_of_voxels_that_nobody_judged(tmp_path: Path) -> None:
    table = LabelTable(labels=TABLE.labels, ignore=7)
    labels = labels_of(1, values=(0, 1, 2, 7))
    mask = Mask(labels=labels, affine=OBLIQUE, table=table)
    case = replace(stack(1, patient="pa"), annotations=(Annotation(reader="x", mask=mask),))
    written(order_of(case, table=table), tmp_path / "out", "bids")
    found, [again] = read_again(tmp_path / "out")
    assert found.table is not None
    assert found.table.ignore == 7
    np.testing.assert_array_equal(again.annotations[0].mask.labels, labels)


def test_bids_has_no_place_for_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a picture, and BIDS has no place"):
        written(order_of(picture(1, patient="pa")), tmp_path / "out", "bids")


@pytest.mark.parametrize("kind", [{}, {"deep": True}, {"colour": True}, {"colour": True, "deep": True}], ids=str)
def test_pictures_and_back_are_the_same(tmp_path: Path, kind: dict[str, bool]) -> None:
    cases = tuple(picture(k, patient=f"p{k // 2}", **kind) for k in range(8))
    written(order_of(*cases), tmp_path / "out", "pictures")
    assert recognise(tmp_path / "out").name == "pictures"
    found, again = read_again(tmp_path / "out")
    assert found.table is not None
    assert found.table.structures == TABLE.structures
    assert found.source.licence == "CC-BY-4.0"
    assert [found.sides[f"case_{k}"] for k in range(8)] == ["validation"] * 2 + ["train"] * 4 + ["test"] * 2
    assert [case.patient for case in again] == [f"pp{k // 2}" for k in range(8)]
    for before, after in zip(cases, again, strict=True):
        require_same(before, after)
        assert sorted(one.reader for one in after.annotations) == ["anna", "reference"]
        for one in after.annotations:
            np.testing.assert_array_equal(one.mask.labels, before.annotations[0].mask.labels)


def test_pictures_of_unknown_size_stay_without_one(tmp_path: Path) -> None:
    case = picture(1, patient="pa")
    seen = replace(case.volumes["image"], affine=picture_affine(), has_size=False)
    bare = replace(case, volumes={"image": seen}, annotations=())
    written(order_of(bare, table=None), tmp_path / "out", "pictures")
    [again] = read_again(tmp_path / "out")[1]
    assert not again.volumes["image"].has_size


def test_pixels_of_two_sizes_in_one_case_are_not_given_one(tmp_path: Path) -> None:
    case = picture(1, patient="pa")
    first = case.volumes["image"]
    other = replace(first, affine=picture_affine(row_mm=0.5, column_mm=0.5))
    both = replace(case, volumes={"cc": first, "mlo": other}, annotations=())
    told = written(order_of(both, table=None), tmp_path / "out", "pictures")
    assert any("several sizes" in note for note in told.notes)
    [again] = read_again(tmp_path / "out")[1]
    assert [volume.has_size for volume in again.volumes.values()] == [False, False]


def test_what_nifti_cannot_say_of_a_picture_is_a_note(tmp_path: Path) -> None:
    case = picture(1, patient="pa")
    bare = replace(case, volumes={"image": replace(case.volumes["image"], has_size=False)})
    told = written(order_of(bare), tmp_path / "nnunet", "nnunet")
    assert any("1 case(s) hold pictures" in note for note in told.notes)
    assert any("says 1 mm" in note for note in told.notes)
    loop = stack(2, patient="pb")
    unsized = replace(loop, volumes={"us": replace(loop.volumes["t1w"], has_size=False)})
    told = written(order_of(unsized), tmp_path / "bids", "bids")
    assert any("In 1 case(s) nobody stated how large a pixel is" in note for note in told.notes)


@pytest.mark.parametrize(
    ("voxels", "says"),
    [(np.full((1, 4, 4), -3, np.int16), "run from -3"), (np.full((1, 4, 4), 0.5, np.float32), "whole numbers"),
     (np.zeros((3, 4, 4), np.uint8), "PNG keeps one slice")],
    ids=["negative", "fractions", "stack"],
)  # fmt: skip
def test_what_png_would_lose_is_refused_with_its_case(tmp_path: Path, voxels: np.ndarray, says: str) -> None:
    case = replace(picture(1, patient="pa"), annotations=())
    lossy = replace(case, volumes={"image": Volume(voxels=voxels, affine=picture_affine())})
    with pytest.raises(InputError, match=f"Case case_1: .*{says}"):
        written(order_of(lossy, table=None), tmp_path / "out", "pictures")


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_the_manifest_names_every_file_and_every_case(tmp_path: Path, form: str) -> None:
    from hashlib import sha256

    cases = [picture(k, patient=f"p{k}") for k in range(4)] if form == "pictures" else cohort()
    order = order_of(*cases)
    written(order, tmp_path / "out", form)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    there = {
        path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*") if path.is_file()
    }
    assert set(manifest["files"]) == set(there) - {"manifest.json"}
    for name, told in manifest["files"].items():
        assert told == {"size": there[name].stat().st_size, "sha256": sha256(there[name].read_bytes()).hexdigest()}
    assert manifest["dataset"] == {"id": order.dataset.id, "name": "made-up", "receipt": "f" * 64}
    assert {case: told["side"] for case, told in manifest["cases"].items()} == {
        entry.id: order.side(entry) for entry in order.dataset.entries
    }
    assert all(set(told["files"]) <= set(there) and told["files"] for told in manifest["cases"].values())
    assert "Licence: CC-BY-4.0" in (tmp_path / "out" / "TERMS.md").read_text()


@pytest.mark.parametrize("form", ["nnunet", "bids"])
def test_terms_that_nobody_stated_are_said_so_aloud(tmp_path: Path, form: str) -> None:
    written(order_of(*cohort(), licence=""), tmp_path / "out", form)
    assert "THE TERMS OF USE ARE NOT STATED" in (tmp_path / "out" / "TERMS.md").read_text()
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["terms"]["licence"] == "not stated"


@pytest.mark.parametrize(("form", "name"), [("nnunet", "patient"), ("bids", "Split"), ("pictures", "path")])
def test_a_fact_called_as_a_column_is_refused(tmp_path: Path, form: str, name: str) -> None:
    case = replace(stack(1, patient="pa"), facts={name: Fact(value=1.0)})
    with pytest.raises(InputError, match=f"A fact is called {name.lower()!r}"):
        written(order_of(case), tmp_path / "out", form)


def test_one_fact_in_two_units_is_refused(tmp_path: Path) -> None:
    one, other = stack(1, patient="pa"), stack(3, patient="pb")
    mixed = replace(other, facts={**other.facts, "crp": Fact(value=1.0, unit="mg/dL")})
    with pytest.raises(InputError, match="given in mg/L and in mg/dL"):
        written(order_of(one, mixed), tmp_path / "out", "bids")
