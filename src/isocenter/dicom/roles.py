"""A role for a series, by rule, from words that scanners and people write into it."""

import re

from isocenter.dicom import tags
from isocenter.dicom.header import Header

_CONTRAST = re.compile(r"(\+c\b|\bce\b|post|gad|gd\b|contrast|\bkm\b|t1c\b|t1ce|t1gd|增强)")
_WORDS = (
    ("flair", re.compile(r"flair|dark.?fluid|tirm")),
    ("adc", re.compile(r"\badc|apparent")),
    ("dwi", re.compile(r"dwi|diff|trace|ep_b|\bdti")),
    ("swi", re.compile(r"swi|swan|suscept")),
    ("t2star", re.compile(r"t2.?\*|t2.?star|\bt2s\b|hemo")),
    ("pd", re.compile(r"\bpd\b|proton|\bpdw")),
    ("t2", re.compile(r"(?<![a-z0-9])t2|t2w|haste|space_t2")),
    ("t1", re.compile(r"(?<![a-z0-9])t1|t1w|mprage|spgr|bravo|vibe|\btfe\b|mp2rage")),
    ("bold", re.compile(r"bold|fmri|\brest|epfid")),
)
_LOCALISER = re.compile(r"locali[sz]er|\bscout|survey|topogram|surview|3.?plane|three.?plane", re.IGNORECASE)


def role_of(header: Header) -> str:
    """Return a role such as "t1", "t1ce", "t2", "flair", "dwi"; the modality in lower case where no rule fits."""
    modality = header.text(tags.MODALITY)
    if modality != "MR":
        return modality.lower() or "ot"
    fields = (tags.SERIES_DESCRIPTION, tags.PROTOCOL, tags.SEQUENCE_NAME)
    for words in (header.text(tag).lower().replace("_", " ") for tag in fields):
        for role, pattern in _WORDS:
            if pattern.search(words):
                with_contrast = role == "t1" and (_CONTRAST.search(words) or header.text(tags.CONTRAST_AGENT))
                return "t1ce" if with_contrast else role
    return "mr"


def is_localiser(header: Header) -> bool:
    """Return whether a series only shows where the others were planned (PS3.3 C.8.2.1.1.1, or by its name)."""
    kinds = {kind.upper() for kind in header.texts(tags.IMAGE_TYPE)}
    if kinds & {"LOCALIZER", "SCOUT"}:
        return True
    return bool(_LOCALISER.search(header.text(tags.SERIES_DESCRIPTION) or header.text(tags.PROTOCOL)))
