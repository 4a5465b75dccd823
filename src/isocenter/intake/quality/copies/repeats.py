"""Images that show the same as another of the data set, under another patient or another label."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.case import Dataset, Entry
from isocenter.intake.issue import Issue
from isocenter.intake.quality.cohort import labels_of
from isocenter.intake.quality.copies.near import Pair, pairs_of
from isocenter.intake.quality.copies.stacks import stack_pairs_of
from isocenter.intake.quality.figures import Figures
from isocenter.intake.strata import label_names

LIKENESS = 0.93
"""From which on two images are taken for the same; chosen on half of the groups of a public set."""

_NAMED = 8  # cases of a group that an issue names


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a case, in figures."""

    case: str
    figures: Figures


def check_repeats(
    dataset: Dataset,
    images: Iterable[Image],
    *,
    limit: float = LIKENESS,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Issue]:
    """Yield groups of images that show the same, where they stand under several patients or several labels.

    Several images of one patient may well be alike, and lie on one side of a split. Images that are equal to the last
    voxel are the business of check_cohort.

    Args:
        dataset: The version.
        images: Of its cases, as far as they could be opened.
        limit: Likeness from which on two are taken for the same, 0 to 1; above 1 nothing is looked for.
        progress: Called with (looked at, in all).
    """
    entries = {entry.id: entry for entry in dataset.entries}
    held = [one for one in images if one.case in entries]
    planar = [one for one in held if one.figures.is_planar]
    stacks = [one for one in held if not one.figures.is_planar]
    if limit > 1:
        return
    if len(planar) > 1:
        found = pairs_of(np.stack([one.figures.sketch for one in planar]), limit=limit, progress=progress)
        yield from _groups(dataset, planar, found, limit)
    if len(stacks) > 1:
        close = stack_pairs_of(np.stack([one.figures.sketch for one in stacks]), limit=limit)
        yield from _groups(dataset, stacks, list(close), limit)


def _groups(dataset: Dataset, images: Sequence[Image], pairs: Sequence[Pair], limit: float) -> Iterator[Issue]:
    """Yield one issue a group of images that hang together by pairs."""
    entries = {entry.id: entry for entry in dataset.entries}
    names = label_names([entry.facts for entry in dataset.entries], has_outlines=dataset.table is not None)
    leads = list(range(len(images)))

    def lead(place: int) -> int:
        while leads[place] != place:
            leads[place] = place = leads[leads[place]]
        return place

    grave = [
        pair for pair in pairs
        if _is_grave(entries[images[pair.first].case], entries[images[pair.second].case], names)
    ]  # fmt: skip
    for pair in grave:
        leads[lead(pair.first)] = lead(pair.second)
    groups: dict[int, list[Pair]] = defaultdict(list)
    for pair in grave:
        groups[lead(pair.first)].append(pair)
    for group in groups.values():
        places = sorted({place for pair in group for place in (pair.first, pair.second)})
        shown = {images[place].case: entries[images[place].case] for place in places}
        yield _issue(dataset, shown, group, names, limit=limit)


def _is_grave(one: Entry, other: Entry, names: Sequence[str]) -> bool:
    """Return whether two images that show the same do harm: they are of two patients, or bear two labels."""
    if one.id == other.id or set(one.volumes.values()) == set(other.volumes.values()):
        return False
    return one.patient != other.patient or len(labels_of((one, other), names)) > 1


def _issue(
    dataset: Dataset, shown: dict[str, Entry], pairs: Sequence[Pair], names: Sequence[str], *, limit: float
) -> Issue:
    sides = sorted({dataset.split.sides[one.patient] for one in shown.values()} if dataset.split else ())
    labels = labels_of(shown.values(), names)
    patients = {one.patient for one in shown.values()}
    best = {frozenset((pair.first, pair.second)): pair for pair in sorted(pairs, key=lambda pair: pair.likeness)}
    ways = sorted({pair.how for pair in best.values()} - {""})
    told = [
        f"alike by {min(pair.likeness for pair in best.values()):.2f}",
        *([f"one {ways[0]}"] if len(ways) == 1 else [f"{len(ways)} cut or turned"] if ways else []),
        f"under {len(patients)} patient(s)",
        *([f"on the side(s) {', '.join(sides)}"] if sides else []),
        *([f"with the labels {', '.join(labels[:_NAMED])}"] if len(labels) > 1 else []),
    ]  # fmt: skip
    cases = sorted(shown)
    more = f" and {len(cases) - _NAMED} more" if len(cases) > _NAMED else ""
    return Issue(
        check="one image, two labels" if len(labels) > 1 else "near duplicates", severity="warn",
        where=", ".join(cases[:_NAMED]) + more, figure=", ".join(told), limit=f"images of two patients below {limit:g}",
        mend="Look at them. If they are one image, keep one, or give them one patient, so that they lie on one side.",
    )  # fmt: skip
