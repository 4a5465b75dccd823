"""Volumes and masks come back as they were put, and the same one has the same name everywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from isocenter.errors import FileError
from isocenter.image import Affine, Volume
from isocenter.store.blobs import digest_of
from isocenter.store.voxels import mask_from, mask_parts, volume_from, volume_parts
from tests.store.conftest import TABLE, a_mask, a_volume

DTYPES = st.sampled_from(["<i2", ">i2", "u1", "<u2", "<f4", ">f8", "<i4", "?"])
SHAPES = st.one_of(st.tuples(*[st.integers(1, 4)] * 3), st.tuples(st.just(3), *[st.integers(1, 3)] * 3))


@given(
    voxels=npst.arrays(DTYPES, SHAPES, elements={"allow_nan": False, "allow_infinity": False}), seed=st.integers(0, 99)
)
def test_a_volume_comes_back_voxel_by_voxel_on_its_grid(voxels: np.ndarray, seed: int) -> None:
    matrix = np.diag([*np.random.default_rng(seed).uniform(0.1, 9, 3), 1.0])
    matrix[:3, 3] = np.random.default_rng(seed).normal(scale=300, size=3)
    volume = Volume(voxels=voxels, affine=Affine(matrix=matrix), unit="HU", modality="CT")
    back = volume_from(b"".join(volume_parts(volume)))
    np.testing.assert_array_equal(back.voxels, voxels)
    assert back.voxels.dtype == voxels.dtype.newbyteorder("=")
    np.testing.assert_array_equal(back.affine.matrix, matrix)  # to the last bit: JSON keeps a float64 whole
    assert (back.unit, back.modality, back.is_planar) == ("HU", "CT", False)


def test_how_a_volume_lies_in_memory_does_not_change_its_name() -> None:
    volume = a_volume()
    big = Volume(voxels=np.asfortranarray(volume.voxels.astype(">i2")), affine=volume.affine, unit="HU", modality="CT")
    assert digest_of(volume_parts(volume)) == digest_of(volume_parts(big))


def test_the_name_of_a_known_volume_never_changes() -> None:
    """A changed form would orphan every store: then FORMAT must rise and the old form be read too."""
    volume = Volume(voxels=np.arange(8, dtype=np.int16).reshape(2, 2, 2), affine=Affine(matrix=np.eye(4)))
    assert digest_of(volume_parts(volume)) == NAME


def test_a_picture_of_unknown_size_stays_one() -> None:
    picture = Volume(
        voxels=np.zeros((1, 2, 2), np.uint8), affine=Affine(matrix=np.eye(4)), is_planar=True, has_size=False
    )
    assert not volume_from(b"".join(volume_parts(picture))).has_size


def test_voxels_begin_where_a_memory_map_likes_them() -> None:
    front, _ = volume_parts(a_volume())
    assert len(front) % 64 == 0


def test_a_mask_comes_back_and_is_no_volume() -> None:
    mask = a_mask(a_volume())
    blob = b"".join(mask_parts(mask))
    back = mask_from(blob, table=TABLE)
    np.testing.assert_array_equal(back.labels, mask.labels)
    assert back.present == mask.present
    with pytest.raises(FileError, match="it holds a mask"):
        volume_from(blob)


def test_other_bytes_are_no_volume() -> None:
    for blob in (b"", b"isovox01", b"isovox01" + b"\xff" * 8 + b"{}", b"x" * 200):
        with pytest.raises(FileError):
            volume_from(blob)


def test_a_picture_and_a_colour_volume_stay_what_they_are() -> None:
    picture = Volume(voxels=np.zeros((3, 1, 2, 2), np.uint8), affine=Affine(matrix=np.eye(4)), is_planar=True)
    back = volume_from(b"".join(volume_parts(picture)))
    assert back.is_planar
    assert back.channels == 3


NAME = "937e50d363feab13c94ba8acd895f78fd00baac0d3bacecd7877ebf563674d6d"
