"""A profile as it is applied: for every attribute one action, and why."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Literal, cast

from isocenter.dicom.elements.element import tag_text
from isocenter.errors import InputError
from isocenter.intake.deid.profile.options import BASIC, FULL_DATES, MODIFIED_DATES, SAFE_PRIVATE, UIDS, require_options
from isocenter.intake.deid.profile.table import ODD, Row, rows, type_of

Action = Literal["K", "X", "Z", "D", "U", "C"]
_TYPED: Mapping[str, Mapping[str, Action]] = {
    # the standard's combinations: type 3 -> first, type 2 -> Z, type 1 -> last
    "X/Z": {"3": "X", "2": "Z", "1": "Z"},
    "X/D": {"3": "X", "2": "D", "1": "D"},
    "Z/D": {"3": "Z", "2": "Z", "1": "D"},
    "X/Z/D": {"3": "X", "2": "Z", "1": "D"},
    "X/Z/U*": {"3": "X", "2": "U", "1": "U"},
}
# what the table does not list: names and addresses are emptied, free text is cleaned, the rest is kept
_BEYOND: Mapping[str, Action] = {"PN": "Z", "UR": "Z", "LT": "C", "ST": "C", "UC": "C", "UT": "C"}
_UNLISTED_CLASSES = re.compile("Class|Syntax|Coding|Context|Mapping|Repository|Community|Location|Template|Creator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a site changes, attribute by attribute.

    Args:
        remove: Tags to remove as well.
        replace: Tag to the text that its value becomes.
        keep: Tag to the reason why it is kept although the profile would not: the only change that weakens it, so it
            is named, with its reason, in everything that the run leaves.
        words: Words that descriptions may keep, beside those that are shipped.
        columns: Header of a table's column to the reason why it may leave.
        patient: Header of the column that tells patients apart, where it has no usual name.
    """

    remove: frozenset[int] = frozenset()
    replace: Mapping[int, str] = field(default_factory=dict)
    keep: Mapping[int, str] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    columns: Mapping[str, str] = field(default_factory=dict)
    patient: str = ""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The basic profile with options, and what a site adds.

    Args:
        options: Words of `profile.options`, "basic" first.
    """

    options: tuple[str, ...]
    site: Site = field(default_factory=Site)

    @classmethod
    def of(cls, words: Iterable[str], *, site: Site | None = None) -> "Profile":
        """Return the profile that words ask for.

        Raises:
            InputError: A word names no option, two contradict each other, or a site both keeps and removes something.
        """
        site = site or Site()
        twice = site.keep.keys() & (site.remove | site.replace.keys()) | site.remove & site.replace.keys()
        if twice:
            raise InputError(f"The site's recipe says two things about {tag_text(min(twice))}. Say one.")
        kept = {tag_text(tag): reason for tag, reason in site.keep.items()} | dict(site.columns)
        bare = [name for name, reason in kept.items() if not reason.strip()]
        if bare:
            raise InputError(f"The site's recipe keeps {min(bare)} without a reason. Say why it may stay.")
        return cls(options=require_options(words), site=site)

    def has(self, option: str) -> bool:
        """Return whether an option was asked for."""
        return option in self.options

    def action(self, tag: int, vr: str, *, sop_class: str = "", within: int = 0) -> Action:
        """Return what is done with an attribute.

        Args:
            tag: Its group and element; private ones are judged by `headers`, which knows their creator.
            vr: Its kind, which decides where the table does not list it.
            sop_class: UID of the object's class, which decides what must stay.
            within: Tag of the sequence in whose item it stands; 0 for the outermost level.
        """
        asked = (tag, vr, sop_class, within)
        known = self._known.get(asked)
        if known is None:
            known = _typed(self.code(tag) or self.by_kind(tag, vr), tag, sop_class=sop_class, within=within)
            self._known[asked] = known
        return known

    def action_if_bare(self, tag: int, *, sop_class: str = "", within: int = 0) -> Action:
        """Return what is done with an attribute of which cleaning left nothing: what the basic profile does, or D."""
        return _typed(self._plain.code(tag) or "D", tag, sop_class=sop_class, within=within)

    def code(self, tag: int) -> str:
        """Return the action as the table writes it; empty for an attribute that it does not list."""
        if tag in self._codes:
            return self._codes[tag]
        return next((code for like, mask, code in self._ranges if tag & mask == like), "")

    def by_kind(self, tag: int, vr: str) -> Action:
        """Return what is done with an attribute that the table does not list, or a safe private one (E.1.1, note 4)."""
        if vr in ("DA", "DT", "TM"):
            return "K" if self.has(FULL_DATES) else "C" if self.has(MODIFIED_DATES) else "Z"
        if vr == "UI":
            return "K" if self.has(UIDS) or _UNLISTED_CLASSES.search(_keyword(tag)) else "U"
        return _BEYOND.get(vr, "K")

    @cached_property
    def _known(self) -> dict[tuple[int, str, str, int], Action]:
        """What was asked before: the same few hundred attributes come in every file."""
        return {}

    @cached_property
    def _plain(self) -> "Profile":
        return Profile(options=(BASIC,))

    @cached_property
    def _codes(self) -> Mapping[int, str]:
        codes = {int(row.tag, 16): self._of(row) for row in rows() if _is_single(row)}
        codes |= dict.fromkeys(self.site.remove, "X") | dict.fromkeys(self.site.replace, "D")
        return codes | dict.fromkeys(self.site.keep, "K")

    @cached_property
    def _ranges(self) -> tuple[tuple[int, int, str], ...]:
        ranges = [(row, row.tag) for row in rows() if "X" in row.tag and row.tag != ODD]
        return tuple(
            (
                int(tag.replace("X", "0"), 16),
                int("".join("0" if digit == "X" else "F" for digit in tag), 16),
                self._of(row),
            )
            for row, tag in ranges
        )

    @property
    def keeps_safe_private(self) -> bool:
        """Whether private attributes that are held to be safe stay."""
        return self.has(SAFE_PRIVATE)

    @property
    def keeps_uids(self) -> bool:
        """Whether UIDs stay as they are."""
        return self.has(UIDS)

    def _of(self, row: Row) -> str:
        """Return a row's action under the options: cleaning wins over keeping, either over the basic profile."""
        asked = {row.options[option] for option in self.options if option in row.options}
        return "C" if "C" in asked else "K" if "K" in asked else row.basic


def _typed(code: str, tag: int, *, sop_class: str, within: int) -> Action:
    if code in _TYPED:
        return _TYPED[code][type_of(tag, sop_class=sop_class, within=within)]
    return cast("Action", code)


@cache
def _keyword(tag: int) -> str:
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag)


def tag_named(text: str) -> int:
    """Return the tag that a site's recipe names: "(0008,1030)", "00081030", or its keyword.

    Raises:
        InputError: It names no tag.
    """
    digits = text.strip(" ()").replace(",", "").replace(" ", "")
    if len(digits) == 8:
        try:
            return int(digits, 16)
        except ValueError:
            pass
    from pydicom.datadict import tag_for_keyword

    found = tag_for_keyword(text.strip())
    if found is None:
        raise InputError(f'{text!r} names no attribute. Write it as "(0008,1030)" or by its keyword, StudyDescription.')
    return found


def _is_single(row: Row) -> bool:
    return "X" not in row.tag and row.tag != ODD
