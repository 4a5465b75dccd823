"""An outline unlike those of the other cases is found by name, and nothing is said of the others."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter

from isocenter.image import Affine, LabelTable, Mask, Volume
from isocenter.intake.quality.labels import check_outlines
from isocenter.intake.quality.outlines import OutlineFigures, outlines_of

Labels = npt.NDArray[np.uint8]
SHAPE = (16, 48, 64)
TABLE = LabelTable.of("liver", "spleen")


def case(seed: int, change: Callable[[Labels], Labels] | None = None) -> list[OutlineFigures]:
    """Return two organs of somebody's own size and place in figures, the outline changed."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)
    labels = np.zeros(SHAPE, np.uint8)
    for value, (centre, half) in enumerate((((8, 22, 18), (5, 10, 11)), ((8, 26, 48), (4, 6, 6))), 1):
        place, size = np.array(centre) + rng.normal(0, 0.7, 3), np.array(half) * rng.normal(1, 0.06)
        labels[(((grid - place) / size) ** 2).sum(axis=-1) < 1] = value
    voxels = gaussian_filter(np.array([100.0, 400.0, 600.0])[labels], 0.7) + rng.normal(0, 10, SHAPE)
    affine = Affine(matrix=np.diag([3.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]])
    volume = Volume(voxels=voxels.astype(np.float32), affine=affine, modality="CT")
    changed = labels if change is None else change(labels)
    return outlines_of(Mask(labels=changed, affine=affine, table=TABLE), volume, where=f"case-{seed}")


def dotted(labels: Labels) -> Labels:
    made = labels.copy()
    made[2, 2:40:6, 2:60:6] = np.maximum(made[2, 2:40:6, 2:60:6], 1)
    return made


def holed(labels: Labels) -> Labels:
    made = labels.copy()
    made[7:10, 18:26, 14:22] = 0
    return made


def grown(labels: Labels) -> Labels:
    return np.where(binary_dilation(labels == 1, iterations=6) & (labels != 2), 1, labels).astype(np.uint8)


def worn(labels: Labels) -> Labels:
    return np.where((labels == 1) & ~binary_erosion(labels == 1, iterations=3), 0, labels).astype(np.uint8)


FAULTS: dict[str, tuple[str, Callable[[Labels], Labels]]] = {
    "mirrored": ("wrong side", lambda labels: labels[:, :, ::-1].copy()),
    "moved": ("outline beside the image", lambda labels: np.roll(labels, 9, axis=1)),
    "exchanged": ("structures exchanged", lambda labels: np.array([0, 2, 1], np.uint8)[labels]),
    "fragments": ("fragments", dotted),
    "hole": ("holes", holed),
    "too large": ("size of outline", grown),
    "too small": ("size of outline", worn),
}


@pytest.fixture(scope="module")
def cohort() -> list[OutlineFigures]:
    return [one for seed in range(20) for one in case(seed)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_name_and_the_others_are_left_alone(
    fault: str, cohort: list[OutlineFigures]
) -> None:
    check, change = FAULTS[fault]
    found = list(check_outlines([*cohort, *case(99, change)]))
    assert check in {issue.check for issue in found}
    assert {issue.where.partition(",")[0] for issue in found} == {"case-99"}


def test_outlines_without_a_fault_are_left_alone(cohort: list[OutlineFigures]) -> None:
    assert list(check_outlines([*cohort, *case(99)])) == []


def test_of_a_few_outlines_nothing_is_said(cohort: list[OutlineFigures]) -> None:
    assert list(check_outlines([*cohort[:10], *case(99, FAULTS["mirrored"][1])])) == []


def test_a_structure_that_is_not_there_has_no_figures() -> None:
    (only,) = case(3, lambda labels: np.where(labels == 2, 0, labels).astype(np.uint8))
    assert only.structure == "liver"


def test_a_mask_that_fills_the_image_and_one_voxel_are_borne() -> None:
    for labels in (np.ones((1, 4, 4), np.uint8), np.eye(4, dtype=np.uint8)[None] * 0 + np.pad([[1]], ((0, 3), (0, 3)))):
        volume = Volume(voxels=np.zeros((1, 4, 4)), affine=Affine(matrix=np.eye(4)))
        mask = Mask(labels=labels.reshape(1, 4, 4), affine=volume.affine, table=TABLE)
        (figures,) = outlines_of(mask, volume, where="x")
        assert all(np.isfinite(value) for value in figures.values.values())
