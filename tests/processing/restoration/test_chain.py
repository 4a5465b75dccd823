"""A chain is plain values: asked for, fitted, carried, replayed to the bit, and led back to the grid it came from."""

import json
import tomllib
from collections.abc import Sequence

import numpy as np
import pytest

from isocenter.errors import GridError, InputError, NotFoundError, RecipeError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.processing.restoration import FITS, STEPS, Chain, Restored, Step, find_fit, find_step
from tests.processing.restoration.scans import magnitude, scan, tissue

RECIPE = """
[[restoration]]
step = "crop_body"
margin_mm = 4

[[restoration]]
step = "n4"
rounds = 10

[[restoration]]
step = "curvature"

[[restoration]]
step = "nyul"
percentiles = [1, 25, 50, 75, 99]

[[restoration]]
step = "clahe"
tiles = 4

[[restoration]]
step = "resample"
spacing_mm = [2.0, 1.5, 1.5]

[[restoration]]
step = "zscore"
within = "all"
"""


def mr(seed: int) -> Volume:
    return scan(magnitude(tissue((12, 56, 56)), 6.0, seed=seed), spacing_mm=(2.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def fitted() -> Chain:
    asked = Chain.from_document(tomllib.loads(RECIPE)["restoration"])
    return asked.fit([mr(0), mr(1)])


def test_a_fitted_chain_is_replayed_to_the_bit(fitted: Chain) -> None:
    carried = Chain.from_document(json.loads(json.dumps(fitted.to_document())))
    assert carried == fitted
    first, second = fitted.restore(mr(7)), carried.restore(mr(7))
    assert first.volume.voxels.tobytes() == second.volume.voxels.tobytes()
    assert first.said == second.said
    assert json.loads(json.dumps(first.said, allow_nan=False))


def test_every_step_says_what_it_changed(fitted: Chain) -> None:
    before = mr(7)
    done = fitted.restore(before)
    assert [name for name, _ in done.said] == ["crop_body", "n4", "curvature", "nyul", "clahe", "resample", "zscore"]
    assert all(said for _, said in done.said)
    assert done.volume.affine.spacing == pytest.approx((2.0, 1.5, 1.5))
    assert np.array_equal(before.voxels, mr(7).voxels)


def test_defaults_are_written_out(fitted: Chain) -> None:
    lines = {line["step"]: line for line in fitted.to_document()}
    assert lines["n4"] == {"step": "n4", "shrink": 4, "levels": 3, "rounds": 10}
    assert len(lines["nyul"]["landmarks"]) == 5  # type: ignore[arg-type]
    assert "sigma" not in lines["curvature"]  # None: estimated in each volume
    assert Step(name="window", parameters={"low": 0, "high": 80}).parameters["to"] == [0.0, 1.0]


def test_a_chain_that_has_not_learnt_is_refused() -> None:
    asked = Chain.from_document([{"step": "match"}])
    assert asked.steps[0].lacks == ["reference"]
    with pytest.raises(RecipeError, match="fit the chain"):
        asked.restore(mr(0))
    with pytest.raises(InputError, match="no volume"):
        asked.fit([])


def test_what_was_learnt_is_kept_and_rests_on_the_steps_before() -> None:
    chain = Chain.from_document([{"step": "unit"}, {"step": "match", "within": "all"}]).fit([mr(0)])
    reference = chain.steps[1].parameters["reference"]
    assert isinstance(reference, list)
    assert (reference[0], reference[-1]) == (0, 1)
    assert chain.fit([mr(1)]) == chain


def test_volumes_are_read_one_at_a_time() -> None:
    class Folder(Sequence[Volume]):
        read = 0

        def __len__(self) -> int:
            return 3

        def __getitem__(self, place: int) -> Volume:  # type: ignore[override]
            if place >= len(self):
                raise IndexError
            self.read += 1
            return mr(place)

    folder = Folder()
    Chain.from_document([{"step": "nyul"}, {"step": "zscore"}]).fit(folder)
    assert folder.read == 3


def labelled(volume: Volume) -> Mask:
    labels = np.digitize(tissue(volume.shape), [100, 160, 300]).astype(np.uint8)
    return Mask(labels=labels, affine=volume.affine, table=LabelTable.of("bar", "rim", "core"))


def test_a_mask_goes_along_and_comes_back_exactly_after_crops() -> None:
    volume = mr(0)
    chain = Chain.from_document(
        [{"step": "crop_body", "margin_mm": 0}, {"step": "crop_centre", "size_mm": [18, 30, 99]}]
    )
    done = chain.restore(volume)
    before = labelled(volume)
    along = done.take_along(before)
    along.require_grid_of(done.volume)
    back = done.bring_back(along)
    back.require_grid_of(volume)
    inside = back.labels > 0
    assert np.array_equal(back.labels[inside], before.labels[inside])
    assert inside.sum() == (along.labels > 0).sum()
    assert (along.labels > 0).sum() > 0.2 * (before.labels > 0).sum()


def test_a_mask_comes_back_from_another_spacing_nearly_whole() -> None:
    volume = mr(0)
    done = Chain.from_document([{"step": "crop_body"}, {"step": "resample", "spacing_mm": [1, 1, 1]}]).restore(volume)
    before = labelled(volume)
    back = done.bring_back(done.take_along(before))
    for name in ("bar", "rim", "core"):
        one, other = before.binary(name), back.binary(name)
        assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.95


def test_a_mask_of_another_grid_is_refused(fitted: Chain) -> None:
    done = fitted.restore(mr(0))
    with pytest.raises(GridError):
        done.bring_back(labelled(mr(0)))
    with pytest.raises(GridError):
        done.take_along(labelled(done.volume))


def test_an_empty_chain_changes_nothing() -> None:
    volume = mr(0)
    done = Chain().restore(volume)
    assert done.volume is volume
    assert done.said == ()
    assert Chain.from_document([]).to_document() == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"step": "curvature", "sgima": 3.0}, "Did you mean 'sigma'"),
        ({"step": "curvature", "sigma": "much"}, "takes float or nothing"),
        ({"step": "curvature", "sigma": True}, "cannot take sigma"),
        ({"step": "curvature", "sigma": float("nan")}, "cannot take sigma"),
        ({"step": "median", "by": "slices"}, "'auto' or 'slice' or 'volume'"),
        ({"step": "median", "limit": None}, "leave it out"),
        ({"step": "n4", "shrink": 2.5}, "takes int"),
        ({"step": "resample", "spacing_mm": "1 1 1"}, "a list of numbers"),
        ({"step": "resample"}, "needs spacing_mm"),
        ({"step": "window", "low": 0}, "needs high"),
        ({"steps": "n4"}, "names its step"),
        ("n4", "names its step"),
    ],
)
def test_a_line_that_cannot_be_is_refused(line: object, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        Chain.from_document([line])  # type: ignore[list-item]


def test_an_unknown_step_is_refused_with_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'zscore'"):
        Chain.from_document([{"step": "z-score"}])
    with pytest.raises(NotFoundError, match="nyul"):
        find_fit("n4")


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_step_of_the_table_is_one(name: str) -> None:
    if name in {"nlm", "tv"}:
        pytest.importorskip("skimage", reason="scikit-image (the extra 'restore') is not installed")
    step = find_step(name)
    assert "Raises:" in (step.__doc__ or "")
    assert callable(find_fit(name)) if name in FITS else True


def test_a_figure_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match="no figure"):
        Restored(volume=mr(0), said={"bias_range": float("inf")})
