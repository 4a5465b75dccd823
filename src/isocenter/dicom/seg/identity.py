"""Whose object it is: the patient and study of a source, carried over as DICOM demands, and shown nowhere."""

import re
from contextlib import suppress

from pydicom import config
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.valuerep import validate_value

# Type 2 of the patient and study modules (PS3.3 C.7.1.1, C.7.2.1): must be there, may be empty.
_REQUIRED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_OPTIONAL = (
    "IssuerOfPatientID", "PatientAge", "PatientSize", "PatientWeight", "StudyDescription", "PatientIdentityRemoved",
    "DeidentificationMethod",
)  # fmt: skip
# What a study is found by: carried over even where it breaks a rule, since another value is another patient.
_KEYS = ("PatientName", "PatientID", "StudyID", "AccessionNumber")
# What an object says of its images themselves; nothing else of a header gets near it.
_OF_THE_IMAGE = frozenset({
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber",
    "Modality", "ImageType", "Manufacturer", "ManufacturerModelName", "FrameOfReferenceUID",
    "PositionReferenceIndicator", "Rows", "Columns", "NumberOfFrames", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
})  # fmt: skip
_SEXES = ("M", "F", "O")


def take_identity(dataset: Dataset) -> Dataset:
    """Return a header's patient and study in valid form; the header keeps only what it says of its image."""
    declared = dataset.get("SpecificCharacterSet")
    # GB 2312 is often written without the escape sequences that ISO 2022 asks for: as good as undeclared
    is_declared = bool(declared) and "ISO 2022 IR 58" not in declared
    identity = Dataset()
    # one set for names and labels in any script; GB 18030 holds all of Unicode too, and its readers expect it
    identity.SpecificCharacterSet = "GB18030" if declared == "GB18030" else "ISO_IR 192"
    for keyword in (*_REQUIRED, *_OPTIONAL):
        text = _text(dataset.get(keyword), is_declared=is_declared)
        if keyword not in _KEYS and not _is_valid(keyword, text):
            text = ""
        if text or keyword in _REQUIRED:
            setattr(identity, keyword, text)
    for tag in list(dataset.keys()):
        if keyword_for_tag(tag) not in _OF_THE_IMAGE:
            del dataset[tag]
    for keyword in _REQUIRED:
        setattr(dataset, keyword, "")
    return identity


def give_identity(made: Dataset, identity: Dataset) -> None:
    """Write a patient and study into an object."""
    for element in identity:
        made[element.tag] = element


def _text(value: object, *, is_declared: bool) -> str:
    """Return a value as text; bytes of no declared character set are tried as UTF-8 and GB 18030."""
    text = "" if value is None else str(value)
    # two high bytes in a row are a Chinese character; a single one is a Latin letter with an accent
    if is_declared or not re.search(r"[\x80-\xff]{2}", text):
        return text
    for charset in ("utf-8", "gb18030"):
        with suppress(UnicodeError):
            return text.encode("latin-1").decode(charset)  # latin-1: what pydicom reads undeclared bytes as
    return text


def _is_valid(keyword: str, text: str) -> bool:
    if keyword == "PatientSex":
        return text in _SEXES
    try:
        validate_value(dictionary_VR(keyword), text, config.RAISE)
    except ValueError:
        return False
    return True
