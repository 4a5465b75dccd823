"""One DICOM series into the pictures of one volume each."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from isocenter.dicom.files import tags
from isocenter.dicom.frames.frame import Frame
from isocenter.dicom.verdict.geometry import SAME_MM, normal_of

Part = tuple[str, list[Frame]]
_Aim = tuple[float | str, ...]
_NEAR = 0.005  # of a cosine, 0.3 degrees: or of a mm
# free text, in which a site may write anything: such groups are numbered, and what is written is not repeated
_UNTOLD = {"kernel", "stack", "direction", "instance"}
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
    aims: dict[object, list[_Aim]] = defaultdict(list)
    for frame in _without_copies(frames):
        aim = _aim(frame)
        known = aims[frame.key]
        near = next((place for place, other in enumerate(known) if _is_near(aim, other)), len(known))
        if near == len(known):
            known.append(aim)
        groups[frame.key, near].append(frame)
    names = _names([group[0] for group in groups.values()])
    parts: list[Part] = []
    for name, group in zip(names, groups.values(), strict=True):
        parts += [(" ".join(filter(None, (name, more))), found) for more, found in _by_time(group)]
    return parts


def _aim(frame: Frame) -> _Aim:
    """Return orientation and spacing as numbers; of a picture without place, what sets it apart from all others."""
    if frame.orientation is None or frame.position is None:
        return (*(frame.spacing or ()), frame.header.text(tags.SOP_INSTANCE))
    return (*frame.orientation, *(frame.spacing or ()))


def _is_near(one: _Aim, other: _Aim) -> bool:
    """Return whether two pictures are laid alike: within what the rounding of headers does to cosines and mm."""
    if len(one) != len(other):
        return False
    return all(
        a == b if isinstance(a, str) or isinstance(b, str) else abs(a - b) < _NEAR
        for a, b in zip(one, other, strict=True)
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
            f"{name} {_word(name, values.get(name), told)}"
            for name in _NAMES
            if values.get(name) not in (None, "", ()) and len({str(other.get(name)) for other in told}) > 1
        ]
        names.append(", ".join(words))
    return names


def _word(name: str, value: object, told: Sequence[dict[str, object]]) -> str:
    if name in _UNTOLD:
        return str(sorted({str(other.get(name)) for other in told}).index(str(value)) + 1)
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
            # numbered, not named: the value may be the day and time of the examination
            in_order = sorted(found, key=lambda value: (len(str(value)), str(value)))
            return [(f"{name} {place}", [group[at] for at in found[value]]) for place, value in enumerate(in_order, 1)]
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
