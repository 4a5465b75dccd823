"""A written object that says something else than the mask must not get its name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from isocenter.dicom.proof import prove_seg
from isocenter.dicom.seg import write_seg
from isocenter.errors import ProofError
from isocenter.image import LabelTable, Mask
from isocenter.testing.phantom import Body, axis_grid, write_series

SHAPE = (12, 22, 24)
GRID = axis_grid("SPL", shape=SHAPE, spacing_mm=(6.0, 3.2, 3.0))


@pytest.fixture(scope="module")
def mask() -> Mask:
    return Body().sample(GRID, SHAPE)[1]


@pytest.fixture
def seg(tmp_path: Path, mask: Mask) -> Path:
    volume, _ = Body().sample(GRID, SHAPE)
    path = tmp_path / "mask.seg.dcm"
    write_seg(mask, sources=write_series(volume, tmp_path / "series"), path=path, algorithm="a", version="1")
    return path


def test_a_right_object_is_proved_structure_by_structure(seg: Path, mask: Mask) -> None:
    checks = prove_seg(seg, mask)
    assert len(checks) == 4 * len(mask.table)
    assert checks[0].name == "liver: side"
    assert checks[0].figure == "right of the middle"
    assert all(check.held for check in checks)


def mirror(made: Dataset) -> None:
    """Let each row run to the other side, from the other end."""
    orientation = made.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    orientation.ImageOrientationPatient = [-1, 0, 0, 0, 1, 0]
    for group in made.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].ImagePositionPatient[0] *= -1


def shift(made: Dataset) -> None:
    for group in made.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].ImagePositionPatient[2] += 0.15


def swap(made: Dataset) -> None:
    """Call the liver what is the spleen, and the other way round."""
    for group in made.PerFrameFunctionalGroupsSequence:
        segment = group.SegmentIdentificationSequence[0]
        segment.ReferencedSegmentNumber = {1: 2, 2: 1}.get(segment.ReferencedSegmentNumber, 3)


def erase(made: Dataset) -> None:
    """Clear the first frames."""
    half = len(made.PixelData) // 8
    made.PixelData = bytes(half) + made.PixelData[half:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (mirror, "liver: side: left of the middle"),
        (shift, r"liver: centroid: 0\.150 mm off \(limit 0\.1 mm\)"),
        (swap, r"liver: .*centroid: \d+\.\d+ mm off"),
        (erase, r"liver: volume: -\d+ voxels"),
    ],
)
def test_an_object_that_lies_is_found_out(seg: Path, mask: Mask, damage: Callable[[Dataset], None], said: str) -> None:
    made = pydicom.dcmread(seg)
    damage(made)
    made.save_as(seg)
    with pytest.raises(ProofError, match=said):
        prove_seg(seg, mask)


def test_a_voxel_moved_within_a_structure_is_allowed_two_are_not(seg: Path, mask: Mask) -> None:
    labels = mask.labels.copy()
    inside = np.argwhere(labels == 1)
    labels[tuple(inside[0])] = 0
    assert prove_seg(seg, Mask(labels=labels, affine=GRID, table=mask.table))
    labels[tuple(inside[-1])] = 0
    with pytest.raises(ProofError, match=r"liver: volume: \+2 voxels"):
        prove_seg(seg, Mask(labels=labels, affine=GRID, table=mask.table))


def test_a_structure_of_one_voxel_must_not_vanish(seg: Path, mask: Mask) -> None:
    labels = np.where(mask.labels == 2, 0, mask.labels)
    gone = Mask(labels=labels, affine=GRID, table=mask.table)
    volume, _ = Body().sample(GRID, SHAPE)
    sources = write_series(volume, seg.parent / "again")
    write_seg(gone, sources=sources, path=seg, algorithm="a", version="1")
    labels[0, 0, 0] = 2
    with pytest.raises(ProofError, match=r"spleen: volume: -1 voxels"):
        prove_seg(seg, Mask(labels=labels, affine=GRID, table=mask.table))


def test_another_number_of_structures_is_found_out(seg: Path, mask: Mask) -> None:
    other = Mask(labels=np.minimum(mask.labels, 1), affine=GRID, table=LabelTable.of("body"))
    with pytest.raises(ProofError, match="5 segments were written for 1 structures"):
        prove_seg(seg, other)


def test_a_failed_proof_leaves_no_file(tmp_path: Path, mask: Mask) -> None:
    volume, _ = Body().sample(GRID, SHAPE)
    sources = write_series(volume, tmp_path / "series")
    for path in sources:  # as after an edit of the headers between loading and writing
        file = pydicom.dcmread(path)
        file.ImagePositionPatient[2] += 0.3
        file.save_as(path)
    target = tmp_path / "out" / "mask.seg.dcm"
    target.parent.mkdir()
    with pytest.raises(ProofError, match=r"liver: centroid: 0\.300 mm off"):
        write_seg(mask, sources=sources, path=target, algorithm="a", version="1")
    assert list(target.parent.iterdir()) == []
