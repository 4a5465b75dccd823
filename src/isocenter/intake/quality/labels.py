"""Outlines that cannot be learnt from, look unlike an outline, or unlike those of the other cases."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from isocenter.case import Annotation, Case
from isocenter.image import LabelTable
from isocenter.intake.issue import Issue
from isocenter.intake.quality.alike import LEAST, Norm, apart
from isocenter.intake.quality.outlines import OutlineFigures
from isocenter.intake.strata import is_labelled, label_names

_MOST = 0.9  # share of an image that one outline covers: above it, mask and image may have been mistaken
_FAR = 8 * 1.4826  # times the median distance from the usual place
_NEARER = 0.5  # of its distance, that a mirrored outline lies from the usual place at most
_RARE = 0.05  # of the cases lack a structure at most, or it is one that need not be there
_STEEP, _LEVEL = 1.5, 1.2  # times as steep as around it an image is along outlines that follow it, and along others
_LOOK = "Look at image and outline together."
_NORMS: Mapping[str, Norm] = {
    "size": Norm(above="size of outline", below="size of outline", least=2, times=5, is_ratio=True, mend=_LOOK),
    "fragments": Norm(above="fragments", least=3, mend="Take away what was drawn by mistake, or join the parts."),
    "holes": Norm(above="holes", least=0.02, mend="Fill the holes, unless something else lies there."),
    "gaps": Norm(above="gap in outline", least=0.05, mend="Outline the slices between, or look why they were left."),
    "corners": Norm(above="form of outline", least=0.12, mend=_LOOK),
    "rim": Norm(above="form of outline", least=1.7, is_ratio=True, mend=_LOOK),
    "edge": Norm(below="outline beside the image", least=0.4, times=5, mend=_LOOK),
    "inside": Norm(above="outline beside the image", below="outline beside the image", least=0.8, times=5, mend=_LOOK),
}  # fmt: skip


def check_labels(case: Case, *, table: LabelTable | None, is_empty_fine: bool = False) -> Iterator[Issue]:
    """Yield what is wrong with the outlines of a case.

    Args:
        case: Opened.
        table: Of the data set; None where nothing is labelled.
        is_empty_fine: A mask that outlines nothing says that nothing is there.
    """
    if table is not None and not case.annotations and not is_labelled(case.facts, label_names([case.facts])):
        yield Issue(
            check="pairing", where=case.id, figure="an image without an outline", limit="an image and its outline",
            mend="Outline it; until then it is neither learnt from nor tested on.", severity="warn",
        )  # fmt: skip
    for annotation in case.annotations:
        yield from _outline(annotation, case.id, is_empty_fine=is_empty_fine)


def _outline(annotation: Annotation, where: str, *, is_empty_fine: bool) -> Iterator[Issue]:
    mask = annotation.mask
    named = [value for value in mask.present if value != mask.table.ignore]
    if not named:
        if not is_empty_fine:
            yield _empty(where)
        return
    covered = float(np.count_nonzero(mask.labels)) / mask.labels.size
    if covered > _MOST:
        yield Issue(
            check="mask size", where=where, figure=f"the outlines cover {covered:.0%} of the image",
            limit=f"at most {_MOST:.0%}", mend="Look whether background and structure were exchanged.", severity="warn",
        )  # fmt: skip


def _empty(where: str) -> Issue:
    return Issue(
        check="empty mask", where=where, figure="a mask that outlines nothing", limit="one labelled voxel",
        mend="Outline the structures, or take image and mask out; unfinished masks teach that nothing is there. Where "
        "nothing is there, as in the healthy, --accept empty-masks takes it so.",
    )  # fmt: skip


def check_outlines(figures: Iterable[OutlineFigures], *, tolerance: float = 1.0) -> Iterator[Issue]:
    """Yield outlines unlike those of the other cases; of a structure in fewer than ten cases nothing is said.

    Args:
        figures: Of every structure of every case.
        tolerance: How many times as far from the others as usual one may lie.
    """
    by_structure: dict[str, list[OutlineFigures]] = defaultdict(list)
    for one in figures:
        by_structure[one.structure].append(one)
    yield from _missing(by_structure)
    groups = [group for group in by_structure.values() if len(group) >= LEAST]
    for group in groups:
        yield from apart(_rows(group), _norms(group), tolerance=tolerance)
        yield from _places(group, tolerance)
        yield from _astray(group)
    for first, second in combinations(groups, 2):
        yield from _exchanged(first, second)


def _missing(by_structure: Mapping[str, Sequence[OutlineFigures]]) -> Iterator[Issue]:
    """Yield outlines without a structure that nearly all others have."""
    there = {structure: {one.where for one in group} for structure, group in by_structure.items()}
    everybody = set().union(*there.values())
    for structure, wheres in there.items():
        lacking = sorted(everybody - wheres)
        if len(everybody) >= LEAST and lacking and len(lacking) <= _RARE * len(everybody):
            for where in lacking:
                yield Issue(
                    check="structure missing", where=where, figure=f"{structure} is not outlined", severity="warn",
                    limit=f"outlined, as in {len(wheres)} of {len(everybody)}", mend=_LOOK,
                )  # fmt: skip


def _rows(group: Sequence[OutlineFigures]) -> list[tuple[str, Mapping[str, float]]]:
    return [(f"{one.where}, {one.structure}", one.values) for one in group]


def _norms(group: Sequence[OutlineFigures]) -> Mapping[str, Norm]:
    """Return the norms of a structure; one that usually has small parts has no fragments, but many parts."""
    has_parts = np.median([one.values["fragments"] for one in group]) > 1
    return {name: norm for name, norm in _NORMS.items() if not (has_parts and name == "fragments")}


def _astray(group: Sequence[OutlineFigures]) -> Iterator[Issue]:
    """Yield outlines that follow no edge of their image, where nearly all others do."""
    edges = np.array([one.values["edge"] for one in group])
    if np.quantile(edges, 0.1) < _STEEP:
        return
    for one, edge in zip(group, edges, strict=True):
        if edge < _LEVEL:
            yield Issue(
                check="outline beside the image", where=f"{one.where}, {one.structure}", severity="warn", mend=_LOOK,
                figure=f"along it the image is {edge:.2f} times as steep as around it",
                limit=f"{np.median(edges):.2f} times usually",
            )  # fmt: skip


def _places(group: Sequence[OutlineFigures], tolerance: float) -> Iterator[Issue]:
    """Yield outlines that lie elsewhere than usual; on the wrong side where a mirrored image would have them right."""
    centres = np.array([one.centre for one in group])
    usual = np.median(centres, axis=0)
    far = np.linalg.norm(centres - usual, axis=1)
    mirrored = np.linalg.norm(centres * [-1, 1, 1] - usual, axis=1)
    limit = tolerance * _FAR * float(np.median(far))
    for one, distance, other in zip(group, far, mirrored, strict=True):
        is_side = other < _NEARER * distance and other < limit
        if distance > limit or (is_side and abs(usual[0]) > 2 * np.median(far)):
            yield Issue(
                check="wrong side" if is_side else "place of outline", where=f"{one.where}, {one.structure}",
                figure=f"{distance:.1f} mm from the usual place" + (f", mirrored {other:.1f} mm" if is_side else ""),
                limit=f"within {limit:.1f} mm", mend=_LOOK, severity="warn",
            )  # fmt: skip


def _exchanged(first: Sequence[OutlineFigures], second: Sequence[OutlineFigures]) -> Iterator[Issue]:
    """Yield cases in which two structures lie to each other the other way round than usual."""
    there = {one.where: one.centre for one in second}
    ways = {one.where: there[one.where] - one.centre for one in first if one.where in there}
    if len(ways) < LEAST:
        return
    usual = np.median(list(ways.values()), axis=0)
    length = float(np.linalg.norm(usual))
    along = {where: float(way @ usual) / max(length, 1e-9) for where, way in ways.items()}
    spread = 1.4826 * float(np.median(np.abs(np.array(list(along.values())) - length)))
    if length < 3 * spread:
        return  # they have no usual order
    for where, distance in along.items():
        if distance < -0.5 * length:
            yield Issue(
                check="structures exchanged", where=where, severity="warn",
                figure=f"{second[0].structure} lies {-distance:.1f} mm on the other side of {first[0].structure}",
                limit=f"about {length:.1f} mm on the usual side", mend="Exchange the two labels, or look at the image.",
            )  # fmt: skip
