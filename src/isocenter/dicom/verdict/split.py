"""One DICOM series into the pictures of one volume each."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from isocenter.dicom.files import tags
from isocenter.dicom.frames.frame import Frame
from isocenter.dicom.verdict.geometry import SAME_MM, normal_of

Part = tuple[str, list[Frame]]
_NAMES = (
    "echo time",
    "b-value",
    "time",
    "image type",
    "inversion time",
    "kernel",
    "stack",
    "kind",
    "direction",
    "instance",
)


def split(frames: Iterable[Frame]) -> list[Part]:
    """Return groups of pictures that make one volume each, with what sets each group apart.

    Pictures never share a volume when they differ in matrix, pixel format, image type, orientation, pixel spacing,
    echo, inversion time, b-value, gradient direction or stated time. Where a group still holds several pictures of
    one position, acquisition number, cardiac phase or time part them, if that leaves whole, equal volumes.
    """
    groups: dict[object, list[Frame]] = defaultdict(list)
    for frame in _without_copies(frames):
        groups[frame.key, _aim(frame)].append(frame)
    names = _names([group[0] for group in groups.values()])
    parts: list[Part] = []
    for name, group in zip(names, groups.values(), strict=True):
        parts += [(" ".join(filter(None, (name, more))), found) for more, found in _by_time(group)]
    return parts


def _aim(frame: Frame) -> tuple[object, ...]:
    """Return orientation and spacing, rounded so that the noise of headers parts nothing."""
    if frame.orientation is None or frame.position is None:
        return (frame.spacing, frame.header.text(tags.SOP_INSTANCE))
    return (
        tuple(round(cosine, 2) + 0.0 for cosine in frame.orientation),
        tuple(round(mm, 3) for mm in frame.spacing or ()),
    )


def _without_copies(frames: Iterable[Frame]) -> list[Frame]:
    """Leave out a second copy of a file: the same instance UID, size and bytes."""
    seen: dict[tuple[str, int, int], Frame] = {}
    kept: list[Frame] = []
    for frame in frames:
        uid = frame.header.text(tags.SOP_INSTANCE)
        first = seen.setdefault((uid, frame.index, frame.header.size), frame)
        same_file = first.header.path == frame.header.path
        if first is frame or same_file or not uid or first.header.path.read_bytes() != frame.header.path.read_bytes():
            kept.append(frame)
    return kept


def _names(firsts: Sequence[Frame]) -> list[str]:
    """Return for each group the words that tell it from the others."""
    told = [dict(frame.key) for frame in firsts]
    names = []
    for values in told:
        words = [
            f"{name} {_word(values.get(name))}"
            for name in _NAMES
            if values.get(name) not in (None, "", ()) and len({str(other.get(name)) for other in told}) > 1
        ]
        names.append(", ".join(words))
    return names


def _word(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _by_time(group: list[Frame]) -> list[Part]:
    """Part pictures that share positions by the first sign that leaves equal volumes without doubles."""
    places = _places(group)
    if len(set(places)) == len(group):
        return [("", group)]
    for index in range(len(group[0].times)):
        name = group[0].times[index][0]
        found: dict[object, list[int]] = defaultdict(list)
        for at, frame in enumerate(group):
            found[frame.times[index][1]].append(at)
        sets = [frozenset(places[at] for at in part) for part in found.values()]
        whole = len(set(sets)) == 1 and all(len(s) == len(p) for s, p in zip(sets, found.values(), strict=True))
        if len(found) > 1 and whole:
            return [(f"{name} {value}", [group[at] for at in part]) for value, part in sorted(found.items(), key=str)]
    return [("", group)]


def _places(group: list[Frame]) -> list[int]:
    """Return for each picture the number of its position along the normal; pictures without place are each alone."""
    if any(frame.position is None or frame.orientation is None for frame in group):
        return list(range(len(group)))
    normal = normal_of(group[0].orientation or ())
    along = np.asarray([frame.position for frame in group]) @ normal
    order = np.argsort(along, kind="stable")
    number = np.concatenate([[0], np.cumsum(np.diff(along[order]) >= SAME_MM)])
    places = np.empty(len(group), dtype=int)
    places[order] = number
    return [int(place) for place in places]
