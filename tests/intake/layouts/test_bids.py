"""Folders in BIDS become cases, with the outlines of each derivative, facts, and days in place of dates."""

import json
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import LayoutError
from isocenter.image import Mask, Volume, write_nifti
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folders import read_folder, recognise
from isocenter.intake.layouts.found import Found, Read
from tests.intake.conftest import grid, image, mask


def found_in(folder: Path) -> Found:
    return read_folder(folder, pseudonym=lambda text: f"p{text}")


def cases_of(found: Found) -> dict[str, Read]:
    things = list(found.read())
    assert all(isinstance(thing, Read) for thing in things), things
    return {thing.case.id: thing for thing in things if isinstance(thing, Read)}


def write(path: Path, what: Volume | Mask | str | dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(what, Volume | Mask):
        write_nifti(what, path)
    else:
        path.write_text(what if isinstance(what, str) else json.dumps(what), encoding="utf-8")
    return path


DSEG = "index\tname\tcolor\n0\tbackground\t#000000\n1\tanterior\t#ff0000\n2\tposterior\tn/a\n"


@pytest.fixture
def bids(tmp_path: Path) -> Path:
    """Return three subjects, the first with two sessions, outlined by two readers."""
    folder = tmp_path / "set"
    write(
        folder / "dataset_description.json",
        {
            "Name": "Made up",
            "BIDSVersion": "1.10.0",
            "License": "CC0",
            "Authors": ["A. Writer"],
            "DatasetDOI": "10.1/x",
        },
    )
    write(
        folder / "participants.tsv",
        "participant_id\tage\tsex\tgroup\nsub-01\t61\tF\tpatient\nsub-02\t89+\tmale\tcontrol\nsub-03\tn/a\tn/a\tn/a\n",
    )
    write(folder / "participants.json", {"age": {"Units": "years"}, "group": {"Levels": {"patient": "ill"}}})
    seed = 0
    for words in ("sub-01/ses-a", "sub-01/ses-b", "sub-02", "sub-03"):
        stem = words.replace("/", "_")
        for suffix in ("T1w", "FLAIR"):
            seed += 1
            write(folder / words / "anat" / f"{stem}_{suffix}.nii.gz", image(seed))
        write(folder / "derivatives" / "anna" / words / "anat" / f"{stem}_dseg.nii.gz", mask())
    write(folder / "derivatives" / "anna" / "dseg.tsv", DSEG)
    write(
        folder / "derivatives" / "anna" / "dataset_description.json",
        {"Name": "by hand", "DatasetType": "derivative", "GeneratedBy": [{"Name": "Manual"}]},
    )
    write(folder / "sub-01" / "sub-01_sessions.tsv", "session_id\tacq_time\tweight\nses-a\t1900-03-02T10:00:00\t70\n"
          "ses-b\t1900-03-12T08:00:00\t71\n")  # fmt: skip
    return folder


def test_sessions_become_cases_with_their_images_by_suffix(bids: Path) -> None:
    found = found_in(bids)
    assert recognise(bids).name == "bids"
    assert not found.issues
    cases = cases_of(found)
    assert list(cases) == ["sub-01_ses-a", "sub-01_ses-b", "sub-02", "sub-03"]
    first = cases["sub-01_ses-a"].case
    assert list(first.volumes) == ["t1w", "flair"]
    assert first.volumes["t1w"].modality == "MR"
    np.testing.assert_array_equal(first.volumes["flair"].voxels, image(2).voxels)
    assert [read.case.patient for read in cases.values()] == ["p01", "p01", "p02", "p03"]
    assert len(cases["sub-02"].sources) == 3


def test_terms_and_origin_come_from_the_description(bids: Path) -> None:
    source = found_in(bids).source
    assert (source.name, source.licence, source.layout) == ("Made up", "CC0", "bids")
    assert "A. Writer" in source.origin
    assert "10.1/x" in source.origin


def test_participants_become_facts_with_units_and_the_oldest_share_an_age(bids: Path) -> None:
    cases = cases_of(found_in(bids))
    facts = {
        case: {name: (fact.value, fact.unit) for name, fact in read.case.facts.items()} for case, read in cases.items()
    }
    assert facts["sub-01_ses-a"] == {
        "age": (61.0, "years"),
        "sex": ("F", ""),
        "group": ("patient", ""),
        "weight": (70.0, ""),
    }
    assert facts["sub-02"] == {"age": (89.0, "years"), "sex": ("M", ""), "group": ("control", "")}
    assert facts["sub-03"] == {"age": (None, "years"), "sex": (None, ""), "group": (None, "")}


def test_an_age_beyond_the_cap_is_capped(bids: Path) -> None:
    write(bids / "participants.tsv", "participant_id\tage\nsub-01\t97\nsub-02\t20\nsub-03\t30\n")
    assert cases_of(found_in(bids))["sub-01_ses-a"].case.facts["age"].value == 89


def test_dates_become_days_since_the_first_session(bids: Path) -> None:
    cases = cases_of(found_in(bids))
    assert [cases[f"sub-01_ses-{label}"].case.day for label in "ab"] == [0, 10]
    assert cases["sub-02"].case.day is None
    assert "1900" not in repr(found_in(bids))


def test_days_come_from_scans_where_sessions_say_none(bids: Path) -> None:
    (bids / "sub-01" / "sub-01_sessions.tsv").unlink()
    for label, time in (("a", "1899-12-30T23:00:00"), ("b", "1900-01-02T01:00:00.5")):
        write(
            bids / "sub-01" / f"ses-{label}" / f"sub-01_ses-{label}_scans.tsv",
            f"filename\tacq_time\nanat/sub-01_ses-{label}_T1w.nii.gz\t{time}\n",
        )
    cases = cases_of(found_in(bids))
    assert [cases[f"sub-01_ses-{label}"].case.day for label in "ab"] == [0, 3]


def test_a_column_of_dates_is_left_out_and_told(bids: Path) -> None:
    write(bids / "participants.tsv", "participant_id\tscanned\nsub-01\t2019-05-06\nsub-02\tn/a\nsub-03\tn/a\n")
    found = found_in(bids)
    [issue] = found.issues
    assert (issue.severity, issue.check) == ("warn", "facts")
    assert "2019" not in f"{found!r} {issue}"
    assert "scanned" not in cases_of(found)["sub-01_ses-a"].case.facts


def test_each_derivative_is_a_reader_and_its_table_names_the_labels(bids: Path) -> None:
    for words in ("sub-01/ses-a", "sub-02"):
        stem = words.replace("/", "_")
        drawn = Mask(labels=mask().labels * 10, affine=grid(), table=numbered(10, 20))
        write(bids / "derivatives" / "robot" / words / "anat" / f"{stem}_space-T1w_desc-v2_dseg.nii.gz", drawn)
    write(bids / "derivatives" / "robot" / "desc-v2_dseg.tsv", "index\tname\n10\tposterior\n20\tanterior\n")
    found = found_in(bids)
    assert found.table is not None
    assert list(found.table.structures) == ["anterior", "posterior"]
    cases = cases_of(found)
    by_reader = {one.reader: one for one in cases["sub-02"].case.annotations}
    assert {reader: one.how for reader, one in by_reader.items()} == {"anna": "manual", "robot-v2": "unknown"}
    np.testing.assert_array_equal(by_reader["anna"].mask.binary("anterior"), mask().labels == 1)
    np.testing.assert_array_equal(by_reader["robot-v2"].mask.binary("anterior"), mask().labels == 2)
    assert [one.reader for one in cases["sub-03"].case.annotations] == ["anna"]


def numbered(*values: int):  # type: ignore[no-untyped-def]
    from isocenter.image import Label, LabelTable

    return LabelTable(labels=tuple(Label(value=value, name=f"s{value}") for value in values))


def test_numbers_and_colours_stay_where_all_tables_agree(bids: Path) -> None:
    write(
        bids / "derivatives" / "anna" / "dseg.tsv", "index\tname\tcolor\n1\tleft\t#00ff00\n2\tright\tn/a\n7\tfar\tn/a\n"
    )
    table = found_in(bids).table
    assert table is not None
    assert [(label.value, label.name) for label in table] == [(1, "left"), (2, "right"), (7, "far")]
    assert table.labels[0].colour == (0, 255, 0)


def test_of_an_atlas_only_what_is_outlined_becomes_a_label(bids: Path) -> None:
    rows = [f"{value}\tregion {value}" for value in range(3, 200)]
    text = "\n".join(["index\tname", "1\tleft", "2\tright", *rows])
    write(bids / "derivatives" / "anna" / "dseg.tsv", text)
    found = found_in(bids)
    assert found.table is not None
    assert list(found.table.structures) == ["left", "right"]
    assert len(cases_of(found)) == 4


def test_masks_of_one_reader_are_joined_by_their_label(bids: Path) -> None:
    for number, label in ((1, "lesion"), (2, "oedema")):
        one = Mask(labels=(mask().labels == number) * np.uint8(255), affine=grid(), table=numbered(255))
        write(bids / "derivatives" / "ben" / "sub-02" / "anat" / f"sub-02_space-orig_label-{label}_mask.nii.gz", one)
    found = found_in(bids)
    assert found.table is not None
    assert [(label.value, label.name) for label in found.table] == [
        (1, "anterior"), (2, "posterior"), (3, "lesion"), (4, "oedema"),
    ]  # fmt: skip
    ben = cases_of(found)["sub-02"].case.annotations[1]
    np.testing.assert_array_equal(ben.mask.binary("oedema"), mask().labels == 2)


def test_overlapping_masks_of_one_reader_stop_their_case(bids: Path) -> None:
    for label in ("lesion", "oedema"):
        one = mask(values=(1,))
        write(bids / "derivatives" / "ben" / "sub-02" / "anat" / f"sub-02_label-{label}_mask.nii.gz", one)
    [issue] = [thing for thing in found_in(bids).read() if isinstance(thing, Issue)]
    assert "overlap in 1 voxels" in issue.figure


def test_outlines_in_a_template_space_stop_unless_the_reader_drew_on_the_image_too(bids: Path) -> None:
    anna = bids / "derivatives" / "anna" / "sub-02" / "anat"
    write(anna / "sub-02_space-MNI152NLin2009cAsym_dseg.nii.gz", mask(shift_mm=40))
    [issue] = found_in(bids).issues
    assert (issue.severity, issue.check) == ("warn", "layout")
    (anna / "sub-02_dseg.nii.gz").unlink()
    stops = [issue for issue in found_in(bids).issues if issue.severity == "stop"]
    assert [issue.check for issue in stops] == ["grid"]
    assert "MNI152NLin2009cAsym" in stops[0].figure


def test_outlines_on_another_grid_than_every_image_stop_their_case(bids: Path) -> None:
    write(bids / "derivatives" / "anna" / "sub-02" / "anat" / "sub-02_dseg.nii.gz", mask(shift_mm=3))
    things = list(found_in(bids).read())
    [issue] = [thing for thing in things if isinstance(thing, Issue)]
    assert issue.check == "grid"
    assert len(things) == 4


def test_the_image_that_is_outlined_comes_first(bids: Path) -> None:
    moved = Volume(voxels=image(9).voxels, affine=grid(shift_mm=5), modality="MR")
    write(bids / "sub-02" / "anat" / "sub-02_T1w.nii.gz", moved)
    assert list(cases_of(found_in(bids))["sub-02"].case.volumes) == ["flair", "t1w"]


def test_a_dseg_without_a_table_is_told_with_what_to_write(bids: Path) -> None:
    (bids / "derivatives" / "anna" / "dseg.tsv").unlink()
    found = found_in(bids)
    assert len([issue for issue in found.issues if issue.severity == "stop"]) == 4
    assert "Put a dseg.tsv with the columns 'index' and 'name' into derivatives/anna" in found.issues[0].figure


def test_series_in_time_and_functional_images_are_told_and_left_out(bids: Path) -> None:
    import nibabel

    series = nibabel.Nifti1Image(np.zeros((4, 4, 4, 3), np.int16), np.eye(4))
    series.header["sform_code"] = 1
    (bids / "sub-02" / "func").mkdir()
    nibabel.save(series, bids / "sub-02" / "func" / "sub-02_task-rest_bold.nii.gz")
    nibabel.save(series, bids / "sub-02" / "anat" / "sub-02_MEGRE.nii.gz")
    found = found_in(bids)
    assert {issue.severity for issue in found.issues} == {"warn"}
    told = " ".join(map(str, found.issues))
    assert "in func" in told
    assert "sub-02_MEGRE.nii.gz: several volumes in one file" in told
    assert list(cases_of(found)["sub-02"].case.volumes) == ["t1w", "flair"]


def test_runs_and_contrast_agents_are_roles_of_their_own(bids: Path) -> None:
    for entities in ("run-02", "ce-gd", "acq-fast_run-1"):
        write(bids / "sub-02" / "anat" / f"sub-02_{entities}_T1w.nii.gz", image(30))
    assert set(cases_of(found_in(bids))["sub-02"].case.volumes) == {
        "t1w", "flair", "t1w_run_2", "t1w_ce_gd", "t1w_acq_fast",
    }  # fmt: skip


def test_sidecars_are_inherited_for_modality_and_scanner(bids: Path) -> None:
    write(bids / "T1w.json", {"Manufacturer": "Maker", "ManufacturersModelName": "One"})
    write(bids / "sub-02" / "anat" / "sub-02_T1w.json", {"ManufacturersModelName": "Two"})
    write(bids / "sub-03" / "pet" / "sub-03_pet.nii.gz", image(40))
    write(bids / "sub-03" / "pet" / "sub-03_pet.json", {"Units": "SUV"})
    cases = cases_of(found_in(bids))
    assert cases["sub-01_ses-a"].case.facts["scanner"].value == "Maker One"
    assert cases["sub-02"].case.facts["scanner"].value == "Maker Two"
    pet = cases["sub-03"].case.volumes["pet"]
    assert (pet.modality, pet.unit) == ("PT", "SUV")


def test_outlines_without_an_image_and_lines_without_images_are_told(bids: Path) -> None:
    write(bids / "derivatives" / "anna" / "sub-09" / "anat" / "sub-09_dseg.nii.gz", mask())
    write(bids / "participants.tsv", "participant_id\tage\nsub-01\t1\nsub-02\t2\nsub-08\t3\n")
    issues = {issue.where: issue for issue in found_in(bids).issues}
    assert issues["derivatives/anna/sub-09/anat/sub-09_dseg.nii.gz"].severity == "stop"
    assert {issues["sub-08"].severity, issues["sub-03"].severity} == {"warn"}


def test_a_file_in_another_subjects_folder_stops(bids: Path) -> None:
    (bids / "sub-02" / "anat" / "sub-02_FLAIR.nii.gz").rename(bids / "sub-02" / "anat" / "sub-03_FLAIR.nii.gz")
    [issue] = found_in(bids).issues
    assert (issue.check, issue.severity) == ("layout", "stop")


def test_subjects_without_a_description_are_recognised_by_their_files(bids: Path) -> None:
    (bids / "dataset_description.json").unlink()
    assert recognise(bids).name == "bids"
    assert found_in(bids).source.licence == ""


def test_a_folder_of_derivatives_alone_says_what_to_name(tmp_path: Path) -> None:
    write(tmp_path / "dataset_description.json", {"Name": "x", "BIDSVersion": "1.10.0", "DatasetType": "derivative"})
    write(tmp_path / "sub-01" / "anat" / "sub-01_dseg.nii.gz", mask())
    with pytest.raises(LayoutError, match="folder 'derivatives'"):
        found_in(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("participant_id\tname\nsub-01\tYellow\n", "bears identity"),
        ("sub\tage\nsub-01\t3\n", "must name the columns"),
        ("participant_id\tage\nsub-01\t3\nsub-01\t4\n", "line 3"),
    ],
)
def test_a_table_of_people_that_cannot_be_used_says_why(bids: Path, text: str, says: str) -> None:
    write(bids / "participants.tsv", text)
    with pytest.raises(LayoutError, match=says) as raised:
        found_in(bids)
    assert "Yellow" not in str(raised.value)


def test_a_broken_image_stops_its_case_alone(bids: Path) -> None:
    (bids / "sub-02" / "anat" / "sub-02_T1w.nii.gz").write_bytes(b"\0" * 40)
    things = list(found_in(bids).read())
    [issue] = [thing for thing in things if isinstance(thing, Issue)]
    assert (issue.where, issue.check) == ("sub-02/anat/sub-02_T1w.nii.gz", "file")
    assert len(things) == 4


def test_the_data_sets_own_test_side_is_taken_over(bids: Path) -> None:
    write(bids / "participants.tsv", "participant_id\tsplit\nsub-01\ttest\nsub-02\ttrain\nsub-03\ttrain\n")
    found = found_in(bids)
    assert found.sides == {"sub-01_ses-a": "test", "sub-01_ses-b": "test", "sub-02": "train", "sub-03": "train"}
    assert "split" not in cases_of(found)["sub-02"].case.facts
