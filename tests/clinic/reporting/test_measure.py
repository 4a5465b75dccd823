"""Findings say what the mask holds: size, place, parts, and whether it was cut off."""

import math
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest

from isocenter.clinic.reporting import measure
from isocenter.clinic.reporting.measure import overlaps
from isocenter.errors import ProofError
from isocenter.image import Affine, LabelTable, Mask
from isocenter.result import Score
from isocenter.result.report import Finding


def by_name(mask: Mask, volumes: tuple[Score, ...] = ()) -> dict[str, Finding]:
    return {finding.structure: finding for finding in measure(mask, volumes=volumes)}


def test_size_place_and_parts_are_those_of_the_body(mask: Mask) -> None:
    found = by_name(mask)
    liver, cyst = found["liver"], found["cyst"]
    assert liver.extent == pytest.approx((30.0, 20.0, 10.0))
    assert liver.volume.value == pytest.approx(6.0)
    assert (liver.slices, liver.pieces) == ((4, 5), 1)
    assert (cyst.slices, cyst.pieces) == ((8, 10), 2)
    assert liver.code is not None
    assert liver.code.value == "10200004"


def test_a_region_is_a_finding_in_the_colour_of_its_first_label(mask: Mask) -> None:
    found = by_name(mask)
    assert found["both"].pieces == 3
    assert found["both"].colour == found["liver"].colour
    assert found["both"].code is None


def test_a_structure_without_a_voxel_is_still_a_finding(mask: Mask) -> None:
    nodule = by_name(mask)["nodule"]
    assert not nodule.is_found
    assert nodule.extent is None
    assert nodule.slices is None


def test_an_outline_that_reaches_the_edge_is_cut(mask: Mask) -> None:
    assert not by_name(mask)["liver"].is_cut
    labels = mask.labels.copy()
    labels[-1, 10, 10] = 1
    assert by_name(Mask(labels=labels, affine=mask.affine, table=mask.table))["liver"].is_cut


def test_one_slice_alone_has_no_edge_along_slices(mask: Mask) -> None:
    labels = mask.labels[3:4]
    assert not by_name(Mask(labels=labels, affine=mask.affine, table=mask.table))["liver"].is_cut


def test_the_extent_does_not_depend_on_how_the_series_is_stored(mask: Mask) -> None:
    for order in permutations(("RL", "AP", "IS")):
        for letters in product(*order):
            turned = by_name(mask.oriented("".join(letters)))["liver"]
            assert turned.extent == pytest.approx((30.0, 20.0, 10.0))


def test_an_oblique_box_is_as_wide_as_its_corners() -> None:
    turn = math.radians(30)
    cos, sin = math.cos(turn), math.sin(turn)
    directions = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.eye(3)[:, ::-1]
    labels = np.zeros((5, 12, 12), dtype=np.uint8)
    labels[1:3, 2:6, 2:10] = 1  # 2 × 4 × 8 mm
    affine = Affine.from_parts(origin=(0, 0, 0), directions=directions, spacing=(1, 1, 1))
    box = by_name(Mask(labels=labels, affine=affine, table=LabelTable.of("box")))["box"]
    assert box.extent == pytest.approx((8 * cos + 4 * sin, 8 * sin + 4 * cos, 2.0))


def test_a_stated_volume_keeps_its_interval(mask: Mask) -> None:
    stated = Score(name="volume", label="liver", value=6.0, low=5.5, high=6.4, n=12, unit="ml")
    assert by_name(mask, (stated,))["liver"].volume == stated


def test_a_volume_of_another_mask_is_refused(mask: Mask) -> None:
    stated = Score(name="volume", label="liver", value=6.1, low=5.5, high=6.4, n=12, unit="ml")
    with pytest.raises(ProofError, match=r"states 6\.100 ml, its mask holds 6\.000 ml"):
        measure(mask, volumes=[stated])
    rounded = replace(stated, value=6.004)  # three digits after the point, as a document may round
    assert by_name(mask, (rounded,))["liver"].volume.value == 6.004


def test_volumes_that_must_not_be_added_are_known(mask: Mask) -> None:
    assert overlaps(mask.table)
    assert not overlaps(LabelTable.of("a", "b"))


@pytest.mark.parametrize(("unit", "told"), [("mm²", "mm"), ("pixels", "pixels")])
def test_a_picture_is_measured_across_and_down_in_what_is_known(unit: str, told: str) -> None:
    labels = np.zeros((1, 20, 30), dtype=np.uint8)
    labels[0, 4:9, 10:22] = 1
    step = 0.5 if unit == "mm²" else 1.0
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, step, step))
    mask = Mask(labels=labels, affine=affine, table=LabelTable.of("lesion"))
    (lesion,) = measure(mask, volumes=[], voxel_size=(step**2, unit))
    assert (lesion.extent, lesion.extent_unit) == ((12 * step, 5 * step), told)
    assert (lesion.volume.value, lesion.volume.unit) == (60 * step**2, unit)
