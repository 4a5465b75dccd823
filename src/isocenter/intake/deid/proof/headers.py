"""A data set judged by others' reading of the standard: pydicom's eyes, and dicom-anonymizer's copy of table E.1-1."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pydicom

from isocenter.dicom.elements.element import tag_text
from isocenter.dicom.files.slow import quietly
from isocenter.errors import MissingExtraError
from isocenter.intake.deid.dummy import DUMMIES
from isocenter.intake.deid.profile.profile import Profile

_CHANGED = frozenset({"D", "Z", "U", "X", "X/Z", "X/D", "Z/D", "X/Z/D"})
_LISTS = {
    "X_TAGS": "X", "U_TAGS": "U", "D_TAGS": "D", "Z_TAGS": "Z", "X_Z_TAGS": "X/Z", "X_D_TAGS": "X/D",
    "Z_D_TAGS": "Z/D", "X_Z_D_TAGS": "X/Z/D",
}  # fmt: skip
_STANDARD = "1.2.840.10008."


@cache
def other_table() -> Mapping[int, str]:
    """Return the actions of the basic profile as dicom-anonymizer lists them.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c
    except ImportError as error:
        raise MissingExtraError(
            "The proof of headers needs a second table, that of dicom-anonymizer: pip install 'isocenter[intake]'."
        ) from error
    return {
        group << 16 | element: action
        for name, action in _LISTS.items()
        for group, element, *mask in getattr(dicomfields_2026c, name)
        if not mask
    }


def wrong_elements(was: Path, now: Path, *, profile: Profile) -> tuple[str, ...]:
    """Return what is wrong in a file that came out, in words that name attributes and no value.

    Args:
        was: The file as it came.
        now: What is to leave.
        profile: What was asked for: options that keep or clean an attribute excuse it here too.
    """
    with quietly():
        before, after = pydicom.dcmread(was, force=True), pydicom.dcmread(now, stop_before_pixels=True)
        return tuple(dict.fromkeys(_wrong(before, after, profile)))


def _wrong(before: pydicom.Dataset, after: pydicom.Dataset, profile: Profile) -> Iterator[str]:
    table = other_table()
    old = _values(before)
    has_options = len(profile.options) > 1 or bool(profile.site.keep)  # else nothing excuses a value that stayed
    uids = {uid for tag, values in old.items() if table.get(tag) == "U" for uid in values}
    if str(after.get("PatientIdentityRemoved", "")) != "YES":
        yield "it does not say that identity was removed (0012,0062)"
    for element in after.iterall():
        tag = int(element.tag)
        action, asked = table.get(tag, ""), profile.code(tag)
        name = f"{element.name} {tag_text(tag)}"
        if element.tag.is_private and not profile.keeps_safe_private and tag not in profile.site.keep:
            yield f"a private attribute was left {tag_text(tag)}"
        if (has_options and asked in ("K", "C")) or element.VR == "SQ":
            continue
        if action == "X":
            yield f"{name} should have been removed"
        elif action in _CHANGED and _texts(element) & (old.get(tag, set()) - DUMMIES):
            yield f"{name} has a value that it had before"
        elif element.VR == "UI" and not profile.keeps_uids and _texts(element) & uids:
            yield f"{name} holds a UID of the source"


def _values(dataset: pydicom.Dataset) -> dict[int, set[str]]:
    """Return every value of a data set as text, by tag, from all levels."""
    found: dict[int, set[str]] = {}
    for element in dataset.iterall():
        if element.VR != "SQ":
            found.setdefault(int(element.tag), set()).update(_texts(element))
    return found


def _texts(element: pydicom.DataElement) -> set[str]:
    many = element.value if element.VM > 1 else [element.value]
    texts = (
        {str(one).strip() for one in many} if element.VR not in ("OB", "OW", "UN", "OF", "OD", "OL", "OV") else set()
    )
    return {text for text in texts if text and not text.startswith(_STANDARD)}
