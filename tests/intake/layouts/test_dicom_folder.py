from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from isocenter.dicom.seg import write_seg
from isocenter.errors import LayoutError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folders import read_folder, recognise
from isocenter.intake.layouts.found import Found, Read
from isocenter.testing.phantom import Body, Header, axis_grid, write_series

SHAPE = (12, 20, 18)
GRID = axis_grid("SPL", shape=SHAPE, spacing_mm=(7.0, 4.0, 4.5))


def pseudonym(text: str) -> str:
    return sha256(b"key" + text.encode()).hexdigest()[:12]


def body(*, modality: str = "CT") -> tuple[Volume, Mask]:
    return Body().sample(GRID, SHAPE, modality=modality)


def write_study(folder: Path, *, patient: str = "A", seg: bool = True, **header: str) -> tuple[Path, ...]:
    volume, mask = body()
    stands = Header(patient=patient, study=f"study of {patient}", name="Canary^Yellow=金丝雀", **header)
    paths = write_series(volume, folder / "Canary^Yellow" / "ct", header=stands)
    if seg:
        write_seg(mask, sources=paths, path=folder / "Canary^Yellow" / "mask.dcm", algorithm="by hand", version="1")
    return paths


def found_in(folder: Path, **options: object) -> Found:
    return read_folder(folder, pseudonym=pseudonym, **options)  # type: ignore[arg-type]


def cases_of(found: Found) -> list[Read]:
    things = list(found.read())
    assert all(isinstance(thing, Read) for thing in things), things
    return [thing for thing in things if isinstance(thing, Read)]


def test_a_study_with_a_segmentation_becomes_a_labelled_case(tmp_path: Path) -> None:
    write_study(tmp_path, age="063Y", sex="F")
    found = found_in(tmp_path)
    [read] = cases_of(found)
    volume, mask = body()
    assert found.layout == "dicom"
    assert not found.issues
    np.testing.assert_array_equal(read.case.volumes["ct"].voxels, volume.voxels)
    assert found.table is not None
    assert list(found.table.structures) == sorted(mask.table.structures)
    drawn = read.case.annotations[0].mask
    for name in mask.table.structures:
        np.testing.assert_array_equal(drawn.binary(name), mask.binary(name))
    facts = {name: fact.value for name, fact in read.case.facts.items()}
    assert facts == {"modality": "CT", "scanner": "isocenter phantom", "sex": "F", "age_band": "60-69"}


def test_structures_get_one_number_whatever_each_file_calls_them(tmp_path: Path) -> None:
    volume, mask = body()
    for patient, names in (("A", ("liver", "spleen")), ("B", ("spleen", "heart"))):
        paths = write_series(volume, tmp_path / patient, header=Header(patient=patient, study=patient))
        labels = sum(mask.binary(name) * np.uint8(value) for value, name in enumerate(names, 1))
        outlined = Mask(labels=labels, affine=mask.affine, table=LabelTable.of(*names))
        write_seg(outlined, sources=paths, path=tmp_path / f"{patient}.dcm", algorithm="x", version="1")
    found = found_in(tmp_path)
    assert found.table is not None
    assert list(found.table.structures) == ["heart", "liver", "spleen"]
    for read in cases_of(found):
        drawn = read.case.annotations[0].mask
        np.testing.assert_array_equal(drawn.binary("spleen"), mask.binary("spleen"))


def test_a_structure_set_is_matched_by_the_series_it_refers_to(tmp_path: Path) -> None:
    paths = write_study(tmp_path, seg=False)
    source = dcmread(paths[0])
    write_structure_set(tmp_path / "rs.dcm", source=source, level=4)
    [read] = cases_of(found_in(tmp_path))
    assert read.case.annotations[0].reader == "rtstruct-1"
    inside = read.case.annotations[0].mask.binary("box")
    assert inside[4].sum() > 0
    assert inside.sum() == inside[4].sum()


def write_structure_set(path: Path, *, source: Dataset, level: int) -> None:
    """Write a structure set with one square in one slice of a series."""
    made = Dataset()
    for name in ("PatientID", "StudyInstanceUID", "SpecificCharacterSet"):
        setattr(made, name, source[name].value)
    made.Modality, made.SOPClassUID = "RTSTRUCT", "1.2.840.10008.5.1.4.1.1.481.3"
    made.SOPInstanceUID, made.SeriesInstanceUID = (
        f"{source.SOPInstanceUID}.1"[:64],
        f"{source.SeriesInstanceUID[:60]}.1",
    )
    series, study, frame, region, shape, contour = (Dataset() for _ in range(6))
    series.SeriesInstanceUID = source.SeriesInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame.RTReferencedStudySequence = [study]
    made.ReferencedFrameOfReferenceSequence = [frame]
    region.ROINumber, region.ROIName = 1, "box"
    corners = [GRID.to_world((level, row, column)) for row, column in ((5, 5), (5, 9), (9, 9), (9, 5))]
    contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", 4
    contour.ContourData = [f"{value:.4f}" for corner in corners for value in corner]
    shape.ReferencedROINumber, shape.ContourSequence = 1, [contour]
    made.StructureSetROISequence, made.ROIContourSequence = [region], [shape]
    made.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=False)
    stored = dcmread(path, force=True)
    stored.ensure_file_meta()
    stored.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    stored.file_meta.MediaStorageSOPClassUID = stored.SOPClassUID
    stored.file_meta.MediaStorageSOPInstanceUID = stored.SOPInstanceUID
    stored.save_as(path, enforce_file_format=True)


def test_nothing_that_is_told_bears_who_the_patient_is(tmp_path: Path) -> None:
    paths = write_study(tmp_path, patient="Canary-7")
    (tmp_path / "Canary^Yellow" / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\1" * 40)
    (tmp_path / "Canary^Yellow" / "mask.dcm").write_bytes((tmp_path / "Canary^Yellow" / "mask.dcm").read_bytes()[:-900])
    found = found_in(tmp_path)
    told = f"{found!r} {[*map(str, found.issues)]} {[str(thing) for thing in found.read()]}"
    assert found.issues
    for secret in ("Canary", "金丝雀", dcmread(paths[0]).StudyInstanceUID):
        assert secret not in told


def test_patients_are_one_by_their_id_and_each_study_a_case(tmp_path: Path) -> None:
    volume, _ = body()
    for study in ("first", "second"):
        write_series(volume, tmp_path / study, header=Header(patient="A", study=study))
    write_series(volume, tmp_path / "other", header=Header(patient="B", study="first"))
    reads = cases_of(found_in(tmp_path))
    assert sorted(read.case.patient for read in reads) == sorted([pseudonym("A"), pseudonym("A"), pseudonym("B")])
    assert len({read.case.id for read in reads}) == 3


def test_a_series_with_a_hole_is_told_in_mm_and_the_other_studies_go_on(tmp_path: Path) -> None:
    paths = write_study(tmp_path, seg=False)
    paths[5].unlink()
    write_study(tmp_path / "whole", patient="B")
    found = found_in(tmp_path)
    stops = [issue for issue in found.issues if issue.severity == "stop"]
    assert any("mm" in issue.figure and "gaps" in issue.mend for issue in stops)
    assert [read.case.patient for read in cases_of(found)] == [pseudonym("B")]
    accepted = cases_of(found_in(tmp_path, accept=("gaps",)))
    assert len(accepted) == 2


def test_outlines_of_a_series_that_is_not_here_are_told(tmp_path: Path) -> None:
    for path in write_study(tmp_path):
        path.unlink()
    found = found_in(tmp_path)
    assert len(found) == 0
    assert "pairing" in {issue.check for issue in found.issues}


def test_several_series_become_volumes_by_role_the_outlined_one_first(tmp_path: Path) -> None:
    volume, mask = body(modality="MR")
    write_series(volume, tmp_path / "a", header=Header(number=1, description="FLAIR"))
    paths = write_series(volume, tmp_path / "b", header=Header(number=2, description="T1w MPRAGE"))
    write_series(volume, tmp_path / "c", header=Header(number=3, description="T1w MPRAGE"))
    write_seg(mask, sources=paths, path=tmp_path / "s.dcm", algorithm="x", version="1")
    [read] = cases_of(found_in(tmp_path))
    assert list(read.case.volumes) == ["t1", "flair", "t1_2"]


def test_a_file_that_changes_between_scan_and_reading_stops_its_case(tmp_path: Path) -> None:
    paths = write_study(tmp_path, seg=False)
    found = found_in(tmp_path)
    paths[3].write_bytes(b"")
    [thing] = found.read()
    assert isinstance(thing, Issue)
    assert thing.check == "file"
    assert "Canary" not in str(thing)


def test_a_zero_byte_file_and_a_note_stop_nothing(tmp_path: Path) -> None:
    write_study(tmp_path)
    (tmp_path / "a-note.txt").write_text("hello", encoding="utf-8")
    (tmp_path / "b.dcm").write_bytes(b"")
    assert recognise(tmp_path).name == "dicom"
    found = found_in(tmp_path)
    assert len(cases_of(found)) == 1
    assert {issue.severity for issue in found.issues} == {"warn"}


def test_a_folder_said_to_be_dicom_that_is_not_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(LayoutError, match="None of 1 files is readable DICOM"):
        found_in(tmp_path, as_="dicom")


def test_the_oldest_share_one_age_band(tmp_path: Path) -> None:
    write_study(tmp_path, seg=False, age="097Y")
    [read] = cases_of(found_in(tmp_path))
    assert read.case.facts["age_band"].value == "90+"


def test_a_shut_folder_named_after_a_patient_is_told_without_its_name(
    open_folder: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    shut = open_folder / "Canary^Yellow"
    shut.mkdir()
    shut.chmod(0)
    with as_nobody(), pytest.raises(LayoutError, match="A folder inside") as raised:
        found_in(open_folder, as_="dicom")
    assert "Canary" not in str(raised.value)


def write_segs(folder: Path, *, grow: int = 0) -> None:
    """Write a study whose two organs lie in a file each; `grow` moves the second into the first."""
    volume, mask = body()
    paths = write_series(volume, folder / "ct", header=Header(patient="A", study="s"))
    for name in ("liver", "heart"):
        labels = mask.binary(name).astype(np.uint8)
        if grow and name == "heart":
            labels = labels | mask.binary("liver")
        one = Mask(labels=labels, affine=mask.affine, table=LabelTable.of(name))
        write_seg(one, sources=paths, path=folder / f"{name}.dcm", algorithm="x", version="1")


def test_one_file_a_structure_makes_one_mask(tmp_path: Path) -> None:
    write_segs(tmp_path)
    [read] = cases_of(found_in(tmp_path))
    [annotation] = read.case.annotations
    _, mask = body()
    for name in ("liver", "heart"):
        np.testing.assert_array_equal(annotation.mask.binary(name), mask.binary(name))
    assert len(read.sources) == SHAPE[0] + 2


def test_structures_of_two_files_that_overlap_stop_the_case(tmp_path: Path) -> None:
    write_segs(tmp_path, grow=1)
    [issue] = found_in(tmp_path).read()
    assert isinstance(issue, Issue)
    assert issue.check == "label values"
    assert "overlap" in issue.figure


def test_two_files_of_the_same_structure_are_two_readers(tmp_path: Path) -> None:
    paths = write_study(tmp_path)
    _, mask = body()
    write_seg(mask, sources=paths, path=tmp_path / "again.dcm", algorithm="x", version="1")
    [read] = cases_of(found_in(tmp_path))
    assert [annotation.reader for annotation in read.case.annotations] == ["seg-1", "seg-2"]


def test_two_outlined_series_of_a_study_become_a_case_each(tmp_path: Path) -> None:
    volume, mask = body(modality="MR")
    for number in (1, 2):
        paths = write_series(volume, tmp_path / str(number), header=Header(number=number, description="T1w"))
        write_seg(mask, sources=paths, path=tmp_path / f"{number}.dcm", algorithm="x", version="1")
    reads = cases_of(found_in(tmp_path))
    assert len({read.case.id for read in reads}) == 2
    assert len({read.case.patient for read in reads}) == 1
    assert all(len(read.case.annotations) == 1 for read in reads)
