"""What changed between two versions of a data set, in sentences."""

from collections.abc import Iterable, Mapping, Sequence

from isocenter.case import Change
from isocenter.pages.words import say

_NAMED = 8  # of what a sentence counts, so many are named
_EACH = ("renamed", "patient", "day", "fact", "label", "source", "outline noted")
"""Kinds of which each case is shown with what it was and what it is; the others that go together are named once."""
_WHOLE = ("labels", "terms", "left out", "seed")

_Group = tuple[str, str, str, str]


def tell_changes(changes: Iterable[Change], *, lang: str, labels: Iterable[str] = ()) -> tuple[str, ...]:
    """Return sentences of what changed, like changes told together; one sentence where nothing did.

    Args:
        changes: As `changes_between` finds them.
        lang: "en" or "zh".
        labels: Names of the facts that are labels.

    Raises:
        NotFoundError: No such language.
    """
    known = frozenset(labels)
    grouped: dict[_Group, list[Change]] = {}
    for change in changes:
        grouped.setdefault(_group(change, known), []).append(change)
    if not grouped:
        return (say("change.nothing", lang=lang),)
    return tuple(_sentence(group, of, lang=lang) for group, of in grouped.items())


def _group(change: Change, labels: frozenset[str]) -> _Group:
    """Return what a change is told together with: kind, which thing, and of those that moved from where to where."""
    kind = "label" if change.kind == "fact" and change.what in labels else change.kind
    apart = kind == "moved" or kind in _WHOLE
    return kind, change.what, change.before if apart else "", change.after if apart else ""


def _sentence(group: _Group, changes: Sequence[Change], *, lang: str) -> str:
    kind, what, before, after = group
    if kind == "moved":
        before, after = (say(f"change.side.{side or 'none'}", lang=lang) for side in (before, after))
    values: Mapping[str, object] = {
        "count": len(changes), "names": _names(kind, changes, lang=lang), "what": what, "before": before or "–",
        "after": after or "–",
    }  # fmt: skip
    return say(f"change.{kind.replace(' ', '_')}", lang=lang, **values)


def _names(kind: str, changes: Sequence[Change], *, lang: str) -> str:
    named = [_named(change) if kind in _EACH else change.where for change in changes[:_NAMED]]
    more = [say("change.more", lang=lang, count=len(changes) - _NAMED)] if len(changes) > _NAMED else []
    return say("change.comma", lang=lang).join([*named, *more])


def _named(change: Change) -> str:
    if change.kind == "renamed":
        return f"{change.before} → {change.after}"
    return f"{change.where}: {change.before or '–'} → {change.after or '–'}"
