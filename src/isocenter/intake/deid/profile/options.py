"""The profile and options of PS3.15 annex E, by the words that a command takes, with their codes (CID 7050)."""

from collections.abc import Iterable
from dataclasses import dataclass

from isocenter.errors import InputError
from isocenter.plugins import did_you_mean

BASIC = "basic"
PIXELS = "clean-pixel-data"
FEATURES = "clean-visual-features"
GRAPHICS = "clean-graphics"
STRUCTURED = "clean-structured-content"
DESCRIPTORS = "clean-descriptors"
FULL_DATES = "retain-full-dates"
MODIFIED_DATES = "retain-modified-dates"
PATIENT = "retain-patient-characteristics"
DEVICE = "retain-device-identity"
INSTITUTION = "retain-institution-identity"
UIDS = "retain-uids"
SAFE_PRIVATE = "retain-safe-private"


@dataclass(frozen=True, slots=True)
class Option:
    """A profile or option as De-identification Method Code Sequence (0012,0064) names it."""

    code: str
    meaning: str


OPTIONS = {
    BASIC: Option("113100", "Basic Application Confidentiality Profile"),
    PIXELS: Option("113101", "Clean Pixel Data Option"),
    FEATURES: Option("113102", "Clean Recognizable Visual Features Option"),
    GRAPHICS: Option("113103", "Clean Graphics Option"),
    STRUCTURED: Option("113104", "Clean Structured Content Option"),
    DESCRIPTORS: Option("113105", "Clean Descriptors Option"),
    FULL_DATES: Option("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    MODIFIED_DATES: Option("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    PATIENT: Option("113108", "Retain Patient Characteristics Option"),
    DEVICE: Option("113109", "Retain Device Identity Option"),
    UIDS: Option("113110", "Retain UIDs Option"),
    SAFE_PRIVATE: Option("113111", "Retain Safe Private Option"),
    INSTITUTION: Option("113112", "Retain Institution Identity Option"),
}
_AGAINST = ((FULL_DATES, MODIFIED_DATES, "dates are either kept or shifted"),)


def require_options(words: Iterable[str]) -> tuple[str, ...]:
    """Return the words of a profile, each once, the basic profile first, which is always part of it.

    Raises:
        InputError: A word names no option, or two contradict each other.
    """
    asked = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    for word in asked:
        if word not in OPTIONS:
            raise InputError(f"There is no option {word!r} of a profile. {did_you_mean(word, list(OPTIONS))}")
    for one, other, why in _AGAINST:
        if one in asked and other in asked:
            raise InputError(f"{one} and {other} contradict each other: {why}. Leave one of them out.")
    return (BASIC, *(word for word in asked if word != BASIC))
