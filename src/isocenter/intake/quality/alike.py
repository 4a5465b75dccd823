"""Images unlike the others of their cohort: which figure sets them apart, by how much, and what that usually means."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isocenter.intake.issue import Issue
from isocenter.intake.quality.figures import Figures

LEAST = 10  # images, or outlines, from which on a cohort says what is usual
_TIMES = 8.0  # the cohort's own deviation, from which on an image is set apart
_WAYS = 3  # figures that set one image apart, when it is of something else; its extent counts twice
_MANY = 0.15  # of the images: what sets more than that apart is told once
_NAMED = 6  # images that are named then
_UNLIKE = 0.35  # of correlation with the usual form, that another kind of image lacks at least
_PIXELS = 4  # times as many pixels as usual
_STRETCH = 1.25  # times the usual proportions of a picture
_SOME = 0.1  # of the images are less like the others than one that was turned, once it is turned back
_GAIN = 0.12  # of correlation, that a turned image gains at least when it is turned back


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """When a figure sets an image apart.

    Args:
        check: What the finding is called, by side: above what is usual, or below; empty where that side is no fault.
        least: By how much the figure must differ at least: in its own unit; of a ratio, by how many times.
        times: And by how many of the cohort's own robust deviations.
        is_ratio: Twice as much is as far as half as much.
        mend: What to do about it, by side.
    """

    above: str = ""
    below: str = ""
    least: float
    times: float = 8.0
    is_ratio: bool = False
    mend: str

    def check(self, difference: float) -> str:
        """Return what a difference is called; empty where it is none."""
        return self.above if difference > 0 else self.below


_AGAIN = "Look at the image; export or acquire it again, or take the case out."
NORMS: Mapping[str, Norm] = {
    "level": Norm(above="intensity scale", below="intensity scale", least=0.7,
                  mend="Look whether slope and intercept were applied, and in which unit it was exported."),
    "range": Norm(above="intensity scale", below="contrast", least=0.7,
                  mend="Look whether slope and intercept were applied, and whether the image has faded."),
    "shades": Norm(below="few grey levels", least=1.5, mend="Look whether it was saved with fewer bits."),
    "cut off above": Norm(above="clipping", least=0.02, mend="Export it with its full range of values."),
    "cut off below": Norm(above="clipping", least=0.25, mend="Export it with its full range of values."),
    "noise": Norm(above="noise", least=2.5, times=6, is_ratio=True, mend=_AGAIN),
    "sharpness": Norm(below="blur", above="sharpening", least=1.4, times=7, is_ratio=True, mend=_AGAIN),
    "spikes": Norm(above="spikes", least=0.002, mend=_AGAIN),
    "background": Norm(above="field of view", below="field of view", least=0.25,
                       mend="Look whether it was cut, or set into a larger frame, unlike the others."),
    "polarity": Norm(above="polarity", below="polarity", least=0.4, mend="Look whether light and dark are exchanged."),
    "ghost": Norm(above="ghosting", least=0.25, mend=_AGAIN),
    "lost lines": Norm(above="lost lines", least=0.02, mend="Copy it again from its source."),
    "repeated slices": Norm(above="repeated slices", least=0.01, mend="Export the series again."),
    "lost slices": Norm(above="lost slices", least=0.01, mend="Export the series again."),
    "bend": Norm(below="blur", least=1.35, times=6, is_ratio=True, mend=_AGAIN),
    "detail": Norm(above="sharpening", least=1.2, times=5, is_ratio=True, mend=_AGAIN),
    "flat": Norm(above="covered", least=0.15, mend="Look whether a part was covered, or cut away."),
    "tone": Norm(above="brightness", below="brightness", least=0.2, times=6,
                 mend="Look whether it was windowed or exposed unlike the others."),
    "blocks": Norm(above="blocks", least=1.5, is_ratio=True, mend="Take it from a source that was compressed less."),
    "stripes": Norm(above="stripes", least=3, is_ratio=True, mend=_AGAIN),
    "marks": Norm(above="burned-in marks", least=0.0015, mend="Look for writing and calipers."),
    "uneven": Norm(above="uneven slices", least=2, is_ratio=True,
                   mend="Look where two slices do not follow each other, or one is lighter."),
    "disorder": Norm(above="order of slices", least=0.25, mend="Sort the slices by their position."),
}  # fmt: skip

_TURNS: Mapping[str, Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]] = {
    "with light and dark exchanged": np.negative,
    "turned by 90°": lambda form: np.rot90(form, 1), "turned by 180°": lambda form: np.rot90(form, 2),
    "turned by 270°": lambda form: np.rot90(form, 3), "upside down": np.flipud, "mirrored": np.fliplr,
}  # fmt: skip


def check_alike(figures: Iterable[Figures], *, tolerance: float = 1.0) -> Iterator[Issue]:
    """Yield which images are unlike the others of their role and modality; of fewer than ten nothing is said.

    Args:
        figures: Of every volume of a data set.
        tolerance: How many times as far from the others as usual one may lie.
    """
    groups: dict[object, list[Figures]] = defaultdict(list)
    for one in figures:
        groups[one.group].append(one)
    for group in groups.values():
        if len(group) >= LEAST:
            found = [*apart([(one.where, one.values) for one in group], NORMS, tolerance=tolerance), *_extents(group)]
            unlike = list(_unlike(group, tolerance))
            yield from (*found, *unlike, *_in_many_ways(found, {one.where for one in unlike}))
            yield from _reversed(group)
            yield from _grids(group)


def apart(
    rows: Sequence[tuple[str, Mapping[str, float]]], norms: Mapping[str, Norm], *, tolerance: float = 1.0
) -> Iterator[Issue]:
    """Yield which rows a figure sets apart from the others.

    Args:
        rows: Where, and name of a figure to its value, nan where it cannot be told.
        norms: Of each figure that is looked at.
        tolerance: How many times as far as the norms say a row may lie from the others.
    """
    for name, norm in norms.items():
        values = np.array([figures[name] for _, figures in rows])
        if not np.isfinite(values).any():
            continue
        compared = np.log(np.maximum(values, 1e-6)) if norm.is_ratio else values
        middle = float(np.nanmedian(compared))
        least = np.log(norm.least) if norm.is_ratio else norm.least
        limit = tolerance * max(least, norm.times * _deviation(compared))
        usual = float(np.nanmedian(values))
        far = [
            (norm.check(difference), where, float(value))
            for (where, _), value, difference in zip(rows, values, compared - middle, strict=True)
            if norm.check(difference) and abs(difference) > limit
        ]
        words = f"within {np.exp(limit):.2g} times that" if norm.is_ratio else f"within {limit:.2g} of that"
        for check, where, figure in _gathered(far, len(rows)):
            yield Issue(
                check=check, where=where, figure=f"{name} {figure}, and {usual:.3g} usually", severity="warn",
                limit=words, mend=norm.mend,
            )  # fmt: skip


def _in_many_ways(found: Sequence[Issue], told: Collection[str]) -> Iterator[Issue]:
    """Yield images that so many figures set apart that they are likely of something else; not those told already."""
    ways: dict[str, list[str]] = defaultdict(list)
    for issue in found:
        ways[issue.where].append(issue.check)
    for where, checks in ways.items():
        names = sorted(set(checks))
        if len(names) + ("extent" in names) >= _WAYS and where not in told:
            yield Issue(
                check="another kind of image", where=where, figure=f"set apart by {', '.join(names)}", severity="warn",
                limit=f"by fewer than {_WAYS} figures", mend="Look whether it shows what the others show.",
            )  # fmt: skip


def _gathered(far: Sequence[tuple[str, str, float]], count: int) -> Iterator[tuple[str, str, str]]:
    """Yield (check, where, figure); of what sets many apart, and so is the way of this cohort, once for all of them."""
    for check in dict.fromkeys(check for check, _, _ in far):
        mine = [(where, figure) for one, where, figure in far if one == check]
        if len(mine) <= _MANY * count:
            yield from ((check, where, f"{figure:.3g}") for where, figure in mine)
            continue
        named = ", ".join(where for where, _ in mine[:_NAMED])
        figures = [figure for _, figure in mine]
        yield check, f"{named} and {len(mine) - _NAMED} more", f"{min(figures):.3g} to {max(figures):.3g}"


def _unlike(group: Sequence[Figures], tolerance: float) -> Iterator[Issue]:
    """Yield images whose coarse form is not that of the others: turned, mirrored, or of something else."""
    forms = np.stack([one.form for one in group])
    usual = np.median(forms, axis=0)
    usual = (usual - usual.mean()) / max(float(usual.std()), 1e-6)
    own = (forms * usual).mean(axis=(1, 2))
    turned = {name: np.array([float((turn(one) * usual).mean()) for one in forms]) for name, turn in _TURNS.items()}
    gained = np.max(list(turned.values()), axis=0) - own
    least = float(np.median(own)) - tolerance * max(_UNLIKE, _TIMES * _deviation(own))
    as_usual = float(np.quantile(own, _SOME))
    most = max(tolerance * _GAIN, float(np.median(gained)) + tolerance * _TIMES * _deviation(gained))
    for place, one in enumerate(group):
        best = max(turned, key=lambda name: turned[name][place])
        if gained[place] > most and turned[best][place] > as_usual:
            yield Issue(
                check="orientation", where=one.where, severity="warn", mend="Turn it as the others are.",
                figure=f"alike to the others by {own[place]:.2f}, and {best} by {turned[best][place]:.2f}",
                limit="alike as it is",
            )  # fmt: skip
        elif own[place] < least:
            yield Issue(
                check="another kind of image", where=one.where, figure=f"alike to the others by {own[place]:.2f}",
                limit=f"at least {least:.2f}", mend="Look whether it shows what the others show.", severity="warn",
            )  # fmt: skip


def _deviation(values: npt.NDArray[np.floating]) -> float:
    """Return the deviation of most values, whatever a few are."""
    return 1.4826 * float(np.nanmedian(np.abs(values - np.nanmedian(values))))


def _grids(group: Sequence[Figures]) -> Iterator[Issue]:
    """Yield images whose steps or axes are unlike nearly all others'."""
    [(usual, _)] = Counter(one.orientation for one in group).most_common(1)
    rare = [one for one in group if one.orientation != usual]
    if len(rare) <= len(group) // 20:
        for one in rare:
            yield Issue(
                check="orientation of axes", where=one.where, figure=f"axes {one.orientation}",
                limit=f"{usual}, as in {len(group) - len(rare)} others", severity="warn",
                mend="It is turned back when it is read; look whether its header is right.",
            )  # fmt: skip
    steps = np.log(np.array([one.spacing for one in group]))
    middle, far = _far(steps, least=2)
    for one, is_far in zip(group, far, strict=True):
        if is_far:
            yield Issue(
                check="spacing", where=one.where, figure=" × ".join(f"{mm:.3g}" for mm in one.spacing) + " mm",
                limit=" × ".join(f"{mm:.3g}" for mm in np.exp(middle)) + " mm usually", severity="warn",
                mend="Look whether the spacing in its header is right.",
            )  # fmt: skip


def _far(logarithms: npt.NDArray[np.float64], *, least: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return (axes,) what is usual, and (n,) who is far from it along any axis.

    Args:
        logarithms: (n, axes), nan where there is no such axis.
        least: By how many times one must differ at least.
    """
    middle, spread = np.full(logarithms.shape[1], np.nan), np.zeros(logarithms.shape[1])
    for axis in np.flatnonzero(np.isfinite(logarithms).any(axis=0)):  # pictures have no step from slice to slice
        middle[axis], spread[axis] = np.nanmedian(logarithms[:, axis]), _deviation(logarithms[:, axis])
    return middle, (np.abs(logarithms - middle) > np.maximum(np.log(least), _TIMES * spread)).any(axis=1)


def _extents(group: Sequence[Figures]) -> Iterator[Issue]:
    """Yield pictures of other proportions or of far more or fewer pixels, and stacks that reach less far or further."""
    if group[0].is_planar:
        sides = np.array([one.shape[1:] for one in group], np.float64)
        words = [f"{one.shape[1]} × {one.shape[2]} pixels" for one in group]
        _, is_stretched = _far(np.log(sides[:, :1] / sides[:, 1:]), least=_STRETCH)
        _, is_other = _far(np.log(sides.prod(axis=1, keepdims=True)), least=_PIXELS)
        usual, far = np.median(sides, axis=0), is_stretched | is_other
    else:
        sides = np.array([np.nan_to_num(one.spacing, nan=1.0) * np.array(one.shape) for one in group])
        words = [" × ".join(f"{mm:.3g}" for mm in size) + " mm" for size in sides]
        middle, far = _far(np.log(sides), least=2)
        usual = np.exp(middle)
    for one, told, is_far in zip(group, words, far, strict=True):
        if is_far:
            yield Issue(
                check="extent", where=one.where, figure=told, severity="warn",
                limit=" × ".join(f"{size:.3g}" for size in usual) + " usually",
                mend="Look whether a part was cut away or added, or the pixels are not square.",
            )  # fmt: skip


def _reversed(group: Sequence[Figures]) -> Iterator[Issue]:
    """Yield stacks that are more like the others with their slices the other way round."""
    if group[0].is_planar:
        return
    forms = np.stack([one.sketch for one in group]).astype(np.float32)
    forms -= forms.mean(axis=(1, 2, 3), keepdims=True)
    forms /= np.maximum(forms.std(axis=(1, 2, 3), keepdims=True), 1e-6)
    usual = np.median(forms, axis=0)
    usual = (usual - usual.mean()) / max(float(usual.std()), 1e-6)
    own, turned = ((one * usual).mean(axis=(1, 2, 3)) for one in (forms, forms[:, ::-1]))
    gained = turned - own
    most = max(_GAIN, float(np.median(gained)) + _TIMES * _deviation(gained))
    for one, gain, before, after in zip(group, gained, own, turned, strict=True):
        if gain > most:
            yield Issue(
                check="orientation", where=one.where, severity="warn", mend="Turn it as the others are.",
                figure=f"alike to the others by {before:.2f}, and with its slices in reverse by {after:.2f}",
                limit="alike as it is",
            )  # fmt: skip
