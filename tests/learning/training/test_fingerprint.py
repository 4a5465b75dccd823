"""What is measured of a data set."""

from collections.abc import Sequence

import numpy as np
import pytest

from isocenter.case import Annotation, Case
from isocenter.errors import InputError
from isocenter.image import Affine, Label, LabelTable, Mask, Region, Volume
from isocenter.learning.training import fingerprint

TABLE = LabelTable(
    labels=(Label(value=1, name="core"), Label(value=2, name="rim")), regions=(Region(name="all", values=(1, 2)),)
)


def case(
    name: str,
    *,
    roles: Sequence[str] = ("image",),
    shape: tuple[int, int, int] = (6, 8, 10),
    orientation: str = "SPL",
    labelled: bool = True,
) -> Case:
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(3, 1, 2))
    labels = np.zeros(shape, dtype=np.uint8)
    labels[2, 2:4, 2:4], labels[3, 2, 2] = 1, 2
    volume = Volume(voxels=100 * labels.astype(np.int16), affine=affine, modality="CT", unit="HU")
    mask = Mask(labels=labels, affine=affine, table=TABLE).oriented(orientation)
    return Case(
        id=name,
        patient=name,
        volumes=dict.fromkeys(roles, volume.oriented(orientation)),
        annotations=(Annotation(reader="r", mask=mask),) if labelled else (),
    )


def test_figures_are_those_of_the_cases() -> None:
    found = fingerprint([case("a"), case("b", labelled=False)], table=TABLE)
    assert found.cases == 2
    assert found.labelled == 1
    assert found.shapes == ((6, 8, 10),) * 2
    assert found.spacings_mm == ((3, 1, 2),) * 2
    assert found.voxels == {"core": (4,), "rim": (1,), "all": (5,)}
    values = found.values["image"]
    assert (values.modality, values.unit, values.median) == ("CT", "HU", 0)


def test_the_way_a_series_is_stored_is_not_measured() -> None:
    found = fingerprint([case("a"), case("b", orientation="LIA")], table=TABLE)
    assert len(set(found.shapes)) == 1
    assert len(set(found.spacings_mm)) == 1


def test_structures_are_measured_inside_themselves() -> None:
    values = fingerprint([case("a")], table=TABLE).values["image"]
    assert 100 <= values.inside_low <= values.inside_mean <= values.inside_high <= 200
    assert values.inside_mean == pytest.approx(120, abs=1)  # four voxels of 100 and one of 200, its percentile clipped


def test_roles_that_only_some_cases_have_are_kept_apart() -> None:
    found = fingerprint([case("a", roles=("t1", "t2")), case("b", roles=("t1",))], table=TABLE)
    assert set(found.values) == {"t1"}
    assert found.some_roles == ("t2",)


def test_nothing_in_common_and_nothing_at_all_are_refused() -> None:
    with pytest.raises(InputError, match="t1, t2"):
        fingerprint([case("a", roles=("t1",)), case("b", roles=("t2",))], table=TABLE)
    with pytest.raises(InputError, match="no case"):
        fingerprint([], table=TABLE)


def test_cases_are_held_one_at_a_time() -> None:
    counts: list[int] = []
    fingerprint((case(name) for name in "abc"), table=TABLE, progress=counts.append)
    assert counts == [1, 2, 3]
