"""Masks come back from every encoding as they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from isocenter.errors import LabelError
from isocenter.image import Label, LabelTable, Mask, Region
from isocenter.processing.restoration import labels as encodings
from tests.processing.restoration.scans import grid

TUMOUR = LabelTable(
    labels=(Label(value=1, name="necrosis"), Label(value=2, name="oedema"), Label(value=4, name="enhancing")),
    regions=(
        Region(name="whole", values=(1, 2, 4)),
        Region(name="core", values=(1, 4)),
        Region(name="enhancing only", values=(4,)),
    ),
    ignore=9,
)
SMALL = (2, 3, 4)
WAYS = {
    "one_hot": (encodings.one_hot, encodings.from_one_hot),
    "ordinal": (encodings.ordinal, encodings.from_ordinal),
    "regions": (encodings.regions, encodings.from_regions),
}


def mask(values: np.ndarray, table: LabelTable = TUMOUR) -> Mask:
    return Mask(labels=values, affine=grid(shape=SMALL), table=table)


@settings(max_examples=30, deadline=None)
@given(
    values=arrays.arrays(np.uint8, SMALL, elements=st.sampled_from([0, 1, 2, 4, 9])), way=st.sampled_from(list(WAYS))
)
def test_a_mask_comes_back_exactly(values: np.ndarray, way: str) -> None:
    encode, decode = WAYS[way]
    before = mask(values)
    channels = encode(before)
    assert channels.dtype == np.int8
    after = decode(channels, affine=before.affine, table=TUMOUR)
    assert np.array_equal(after.labels, values)
    assert after.table is TUMOUR


def test_the_channels_say_what_they_should() -> None:
    values = np.zeros(SMALL, dtype=np.uint8)
    values[0, 0] = [0, 1, 2, 4]
    values[1, 0, 0] = 9
    shown = mask(values)
    assert encodings.one_hot(shown)[:, 0, 0].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert encodings.ordinal(shown)[:, 0, 0].tolist() == [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]]
    assert encodings.regions(shown)[:, 0, 0].tolist() == [[0, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 1]]
    for encode, _ in WAYS.values():
        assert (encode(shown)[:, 1, 0, 0] == -1).all()


def test_answers_that_disagree_are_read_as_said() -> None:
    one = (1, 1, 1)
    claims = np.array([0.2, 0.1, 0.9]).reshape(3, *one)
    table = LabelTable(labels=TUMOUR.labels, regions=TUMOUR.regions)
    affine = grid(shape=one)
    assert encodings.from_regions(claims, affine=affine, table=table).labels.item() == 4
    assert encodings.from_ordinal(claims, affine=affine, table=table).labels.item() == 0
    scores = np.array([-3.0, 1.0, 2.0, 1.5]).reshape(4, *one)
    assert encodings.from_one_hot(scores, affine=affine, table=table).labels.item() == 2


@pytest.mark.parametrize(
    ("regions", "told"),
    [
        ((), "would be lost"),
        ((Region(name="a", values=(1, 2)), Region(name="b", values=(2, 4))), "overlap"),
        ((Region(name="all", values=(1, 2, 4)),), "3 labels of its own"),
        ((Region(name="a", values=(1,)), Region(name="b", values=(2,))), "holds enhancing"),
        ((Region(name="a", values=(1,)), Region(name="again", values=(1,))), "overlap"),
    ],
)
def test_regions_that_lose_a_label_are_refused(regions: tuple[Region, ...], told: str) -> None:
    table = LabelTable(labels=TUMOUR.labels, regions=regions)
    with pytest.raises(LabelError, match=told):
        encodings.regions(mask(np.zeros(SMALL, dtype=np.uint8), table))


@pytest.mark.parametrize("way", list(WAYS))
def test_channels_of_another_table_are_refused(way: str) -> None:
    _, decode = WAYS[way]
    with pytest.raises(LabelError, match="channels"):
        decode(np.zeros((7, *SMALL)), affine=grid(shape=SMALL), table=TUMOUR)
    lenient = LabelTable(labels=TUMOUR.labels, regions=TUMOUR.regions)
    unjudged = np.full((4 if way == "one_hot" else 3, *SMALL), -1, dtype=np.int8)
    with pytest.raises(LabelError, match="not judged"):
        decode(unjudged, affine=grid(shape=SMALL), table=lenient)
