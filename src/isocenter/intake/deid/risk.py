"""Whether a file's pixels may show who it is of, as far as its header can tell."""

from isocenter.dicom.elements.file import DicomFile
from isocenter.dicom.files import tags

_BURNED_IN = 0x00280301
_SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
# modalities whose images are pictures of a screen, of a patient from outside, or written on by their device
_WRITTEN_ON = frozenset(
    {"DOC", "ES", "GM", "IVOCT", "IVUS", "OP", "OPT", "OT", "SC", "SM", "US", "XC", "XA", "RF", "ECG", "HD", "BMD"}
)
_CAPTURED = frozenset({"SCREEN SAVE", "SCREENSHOT", "SCREENCAP", "SECONDARY CAPTURE", "DOSE_INFO", "REPORT"})


def risk_of(file: DicomFile) -> str:
    """Return why a file's pixels may show text; empty where its header gives no reason to think so.

    A radiograph or slice as its device made it seldom does, but may: only looking tells (clean-pixel-data).
    """
    if not file.holds_pixels:
        return ""
    if file.text(_BURNED_IN).upper() == "YES":
        return "Its header says that something is written in the pixels (Burned In Annotation)."
    if file.text(tags.SOP_CLASS).startswith(_SECONDARY):
        return "It is a secondary capture: a picture of a screen."
    if file.text(tags.MODALITY).upper() in _WRITTEN_ON:
        return f"Devices of modality {file.text(tags.MODALITY).upper()} write into their pixels."
    if any(word in file.text(tags.IMAGE_TYPE).upper() for word in _CAPTURED):
        return "Its image type is that of a capture or a dose report."
    return ""
