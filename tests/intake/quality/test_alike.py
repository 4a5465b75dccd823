"""A fault planted into one image of a cohort is found by name, and nothing is said of the others."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import gaussian_filter

from isocenter.image import Affine, Volume
from isocenter.intake.quality.alike import check_alike
from isocenter.intake.quality.figures import Figures, figures_of

Voxels = npt.NDArray[np.float32]
SHAPE = (12, 64, 80)


def scan(seed: int) -> Voxels:
    """Return a body with two organs, of somebody's own size, place and noise, in values of 0 to some 1000."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij"), axis=-1)
    voxels = np.zeros(SHAPE, np.float32)
    for centre, half, level in (((0, 0, 0), 0.75, 300), ((0, -0.2, -0.3), 0.25, 700), ((0, 0.35, -0.1), 0.2, 1000)):
        place = np.array(centre) + rng.normal(0, 0.03, 3)
        shape = np.array([1.3, 1.0, 1.0]) * half * rng.normal(1, 0.05)
        voxels[(((grid - place) / shape) ** 2).sum(axis=-1) < 1] = level * rng.normal(1, 0.05)
    return np.asarray(gaussian_filter(voxels, 0.7) + np.abs(rng.normal(0, 15, SHAPE)), np.float32)


def volume(voxels: Voxels, *, spacing: tuple[float, float, float] = (3, 1, 1)) -> Volume:
    return Volume(voxels=voxels, affine=Affine(matrix=np.diag([*spacing, 1.0])), modality="MR")


def noisy(voxels: Voxels) -> Voxels:
    return voxels + np.random.default_rng(1).normal(0, 120, voxels.shape).astype(np.float32)


def ghosted(voxels: Voxels) -> Voxels:
    return voxels + 0.12 * np.roll(voxels, voxels.shape[1] // 2, axis=1)


def spiked(voxels: Voxels) -> Voxels:
    made = voxels.copy()
    made[np.random.default_rng(1).random(voxels.shape) < 0.01] = 2000
    return made


def with_slices(change: Callable[[Voxels], None]) -> Callable[[Voxels], Voxels]:
    def changed(voxels: Voxels) -> Voxels:
        made = voxels.copy()
        change(made)
        return made

    return changed


def shuffled(voxels: Voxels) -> Voxels:
    return voxels[np.random.default_rng(3).permutation(len(voxels))]


FAULTS: dict[str, tuple[str, Callable[[Voxels], Voxels]]] = {
    "a thousand times": ("intensity scale", lambda voxels: voxels * 1000),
    "noise": ("noise", noisy),
    "blur": ("blur", lambda voxels: gaussian_filter(voxels, (0, 2.5, 2.5))),
    "clipped": ("clipping", lambda voxels: np.minimum(voxels, 300)),
    "eight levels": ("few grey levels", lambda voxels: np.round(voxels / 150) * 150),
    "spikes": ("spikes", spiked),
    "inverted": ("polarity", lambda voxels: voxels.max() - voxels),
    "ghost": ("ghosting", ghosted),
    "turned": ("orientation", lambda voxels: np.rot90(voxels, 2, axes=(1, 2)).copy()),
    "mirrored": ("orientation", lambda voxels: voxels[:, :, ::-1].copy()),
    "half": ("another kind of image", lambda voxels: np.concatenate([voxels[:, 32:], 0 * voxels[:, 32:]], axis=1)),
    "one slice twice": ("repeated slices", with_slices(lambda made: made.__setitem__(5, made[4]))),
    "a slice lost": ("lost slices", with_slices(lambda made: made.__setitem__(5, 0))),
    "lines lost": ("lost lines", with_slices(lambda made: made.__setitem__((slice(None), slice(30, 33)), 0))),
    "slices out of order": ("order of slices", shuffled),
}


@pytest.fixture(scope="module")
def cohort() -> list[Volume]:
    return [volume(scan(seed)) for seed in range(20)]


@pytest.fixture(scope="module")
def images(cohort: list[Volume]) -> list[Figures]:
    return [figures_of(one, where=str(place), role="image") for place, one in enumerate(cohort)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_name_and_the_others_are_left_alone(fault: str, images: list[Figures]) -> None:
    check, plant = FAULTS[fault]
    bad = figures_of(volume(np.asarray(plant(scan(99)), np.float32)), where="bad", role="image")
    found = list(check_alike([*images, bad]))
    assert check in {issue.check for issue in found if issue.where == "bad"}
    assert {issue.where for issue in found} == {"bad"}


def test_images_without_a_fault_are_left_alone(images: list[Figures]) -> None:
    assert list(check_alike([*images, figures_of(volume(scan(99)), where="good", role="image")])) == []


def test_another_spacing_and_other_axes_are_found(images: list[Figures], cohort: list[Volume]) -> None:
    thick = figures_of(volume(scan(99), spacing=(9, 1, 1)), where="thick", role="image")
    turned = figures_of(cohort[0].oriented("RAS"), where="turned", role="image")
    found = {(issue.where, issue.check) for issue in check_alike([*images, thick, turned])}
    assert ("thick", "spacing") in found
    assert ("turned", "orientation of axes") in found


def test_of_a_few_images_nothing_is_said(images: list[Figures]) -> None:
    assert list(check_alike([*images[:8], figures_of(volume(scan(99) * 1000), where="bad", role="image")])) == []


def test_images_of_other_roles_and_kinds_are_not_compared(cohort: list[Volume]) -> None:
    images = [figures_of(one, where=str(place), role="t1") for place, one in enumerate(cohort)]
    other = figures_of(volume(scan(99) * 1000), where="bad", role="t2")
    assert list(check_alike([*images, other])) == []
    ct = figures_of(replace(cohort[0], modality="CT", voxels=cohort[0].voxels * 1000), where="ct", role="t1")
    assert list(check_alike([*images, ct])) == []


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 3, 3), (2, 5, 500), (1, 64, 64)])
def test_small_and_constant_images_are_borne(shape: tuple[int, int, int]) -> None:
    for voxels in (np.zeros(shape, np.uint8), np.arange(np.prod(shape)).reshape(shape).astype(np.int16)):
        figures = figures_of(Volume(voxels=voxels, affine=Affine(matrix=np.eye(4))), where="x", role="image")
        assert np.isfinite(figures.form).all()
        assert not any(np.isinf(value) for value in figures.values.values())


@pytest.mark.filterwarnings("error")
def test_pictures_of_a_known_size_have_no_third_step() -> None:
    rng = np.random.default_rng(0)
    pictures = [
        Volume(voxels=rng.integers(0, 255, (1, 40, 40), dtype=np.uint8), is_planar=True,
               affine=Affine(matrix=np.diag([1.0, size, size, 1.0])))
        for size in (*[0.5] * 12, 2.0)
    ]  # fmt: skip
    figures = [figures_of(one, where=str(place), role="image") for place, one in enumerate(pictures)]
    assert [issue.where for issue in check_alike(figures) if issue.check == "spacing"] == ["12"]


def test_colour_is_looked_at_as_grey() -> None:
    rng = np.random.default_rng(0)
    colour = Volume(
        voxels=rng.integers(0, 255, (3, 1, 40, 40), dtype=np.uint8), affine=Affine(matrix=np.eye(4)), is_planar=True
    )
    figures = figures_of(colour, where="x", role="image")
    assert (figures.colours, figures.is_planar, figures.is_deep) == (3, True, False)
