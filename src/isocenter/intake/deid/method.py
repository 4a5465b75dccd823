"""What a file says of how it was de-identified (PS3.3 C.7.1.1, C.12.1; PS3.15 E.1.1)."""

from isocenter.dicom.elements.element import Element, Item, tag_text
from isocenter.dicom.elements.text import padded
from isocenter.intake.deid.profile.options import FULL_DATES, MODIFIED_DATES, OPTIONS
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.profile.table import EDITION

REMOVED, METHOD, METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
TEMPORAL = 0x00280303
_LONGEST = 64  # characters of one value of kind LO


def method_elements(profile: Profile) -> list[Element]:
    """Return the elements that say that identity was removed, by which profile, and what became of dates."""
    dates = "UNMODIFIED" if profile.has(FULL_DATES) else "MODIFIED" if profile.has(MODIFIED_DATES) else "REMOVED"
    return [
        Element(REMOVED, "CS", b"YES "),
        Element(METHOD, "LO", padded("\\".join(_words(profile)).encode("ascii"))),
        Element(METHOD_CODES, "SQ", items=[Item(_code(word)) for word in profile.options]),
        Element(TEMPORAL, "CS", padded(dates.encode())),
    ]


def _words(profile: Profile) -> list[str]:
    """Return the method in words, each value short enough for its kind."""
    words = [f"isocenter, {EDITION} table E.1-1", *profile.options]
    words += [f"kept by the site: {tag_text(tag).upper()}" for tag in sorted(profile.site.keep)]
    return [word[:_LONGEST] for word in words]


def _code(word: str) -> list[Element]:
    option = OPTIONS[word]
    return [
        Element(0x00080100, "SH", padded(option.code.encode())),
        Element(0x00080102, "SH", b"DCM "),
        Element(0x00080104, "LO", padded(option.meaning.encode())),
    ]
