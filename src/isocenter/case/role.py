"""What the name of a role says: which sequence of an MR examination, where it names one."""

import re

_CONTRAST = re.compile(r"(\+c\b|\bce\b|post|gad|gd\b|contrast|\bkm\b|t1c\b|t1ce|t1gd|增强)")
_SEQUENCES = (
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


def sequence_in(words: str, *, with_contrast: bool = False) -> str:
    """Return the sequence that a role, or a series' description, names: "t1", "t1ce", "t2", "flair", …; "" where none.

    Args:
        words: Such as "T1w_ce_gd" or "Ax T2 FLAIR".
        with_contrast: A contrast agent was given, whatever the words say.
    """
    plain = words.lower().replace("_", " ")
    for name, pattern in _SEQUENCES:
        if pattern.search(plain):
            return "t1ce" if name == "t1" and (with_contrast or _CONTRAST.search(plain)) else name
    return ""


def is_other_role(role: str, than: str) -> bool:
    """Return whether two roles name different sequences; one that names none may be any."""
    one, other = sequence_in(role), sequence_in(than)
    return bool(one and other) and one != other
