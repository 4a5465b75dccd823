"""Outlines that were made on another image than the one beside which they stand now."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from isocenter.case import Dataset, Entry, Outline
from isocenter.intake.issue import Issue


def with_makings(entries: Sequence[Entry], *, before: Dataset) -> tuple[Entry, ...]:
    """Return cases whose outlines know that their image changed since an earlier version.

    An outline that is the same to the bit, by the same reader, was not made again: it is of the image of before.
    Outlines of nothing are alike on any image and say nothing of when they were made.

    Args:
        entries: As they are now.
        before: The version that they follow.
    """
    earlier = {entry.id: entry for entry in before.entries}
    return tuple(_with_makings(entry, earlier[entry.id]) if entry.id in earlier else entry for entry in entries)


def check_made_on(dataset: Dataset) -> Iterator[Issue]:
    """Yield each outline that was made on another image than the one beside which it stands."""
    for entry in dataset.entries:
        for outline in entry.outlines:
            if outline.made_on:
                yield Issue(
                    check="label of another image", where=entry.id, severity="warn",
                    figure=f"the outline of {outline.reader} was made on image {outline.made_on[:12]}, and beside it "
                    f"stands {entry.image[:12]}", limit="an outline of this very image",
                    mend="Look whether it still fits; outline it anew on this image, or bring the other one back.",
                )  # fmt: skip


def _with_makings(entry: Entry, earlier: Entry) -> Entry:
    is_same = all(entry.volumes.get(role, digest) == digest for role, digest in earlier.volumes.items())
    image = "" if is_same else earlier.image
    old = {outline.reader: outline for outline in earlier.outlines}
    outlines = (_made(outline, old.get(outline.reader), image=image, now=entry.image) for outline in entry.outlines)
    return replace(entry, outlines=tuple(outlines))


def _made(outline: Outline, old: Outline | None, *, image: str, now: str) -> Outline:
    """Return an outline with what the earlier version knows of its making: on another image then, or since then."""
    if outline.made_on or old is None or old.digest != outline.digest or not outline.present:
        return outline
    made_on = old.made_on or image
    return outline if made_on == now else replace(outline, made_on=made_on)
