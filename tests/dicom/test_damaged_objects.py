"""Damaged segmentations and structure sets are read or refused in words: no crash, no hang, nobody named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isocenter.dicom.seg import read_seg, write_seg
from isocenter.dicom.structures.rtstruct import read_rtstruct
from isocenter.errors import InputError
from isocenter.image import Mask, Volume, read_nifti
from isocenter.testing.phantom import Body, Header, axis_grid, write_series

SHAPE = (12, 22, 24)
GRID = axis_grid("SPL", shape=SHAPE, spacing_mm=(6.0, 3.2, 3.0))
ROUNDS = 250


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with some changed, the end cut off, or a piece missing."""
    kind = rng.integers(3)
    if kind == 0:
        piece = bytearray(whole)
        for _ in range(int(rng.choice((1, 3, 20)))):
            piece[rng.integers(132, len(piece))] = int(rng.integers(256))
        return bytes(piece)
    if kind == 1:
        return whole[: rng.integers(1, len(whole))]
    start = rng.integers(132, len(whole) - 50)
    return whole[:start] + whole[start + rng.integers(1, 40) :]


def trouble(whole: bytes, target: Path, read: Callable[[Path], Mask]) -> list[str]:
    """Return the messages of what was refused; anything but an InputError ends the test."""
    rng = np.random.default_rng(20260101)
    said = []
    for _ in range(ROUNDS):
        target.write_bytes(damaged(whole, rng))
        try:
            read(target)
        except InputError as refused:
            said.append(str(refused))
    return said


@pytest.mark.filterwarnings("error::UserWarning")
def test_damaged_segmentations(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    sources = write_series(volume, tmp_path / "series", header=Header(name="Canary^Yellow", patient="CANARY-7"))
    seg = tmp_path / "mask.seg.dcm"
    write_seg(mask, sources=sources, path=seg, algorithm="a", version="1")
    said = trouble(seg.read_bytes(), tmp_path / "damaged.dcm", lambda path: read_seg(path, volume=volume))
    assert len(said) > ROUNDS / 2
    assert not [message for message in said if "canary" in message.lower()]
    assert all(message.startswith("damaged.dcm: ") for message in said)


@pytest.mark.filterwarnings("error::UserWarning")
def test_damaged_structure_sets(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "ibsi_sts"
    volume: Volume = read_nifti(folder / "nifti" / "STS_025" / "PET_image.nii.gz")
    whole = (folder / "dicom" / "STS_025" / "PET" / "mask" / "RS.dcm").read_bytes()
    said = trouble(whole, tmp_path / "damaged.dcm", lambda path: read_rtstruct(path, volume=volume))
    assert len(said) > ROUNDS / 10
    assert all(message.startswith("damaged.dcm: ") for message in said)
