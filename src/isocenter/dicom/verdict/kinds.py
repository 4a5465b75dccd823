"""What kind of thing a series is, by rule: its role, a localiser, an object that is no picture."""

import re
from collections.abc import Iterator

from pydicom.dataset import Dataset

from isocenter.case.role import sequence_in
from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header
from isocenter.dicom.files.slow import BROKEN, quietly, read_dataset
from isocenter.errors import FileError

NOT_PICTURES = {
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "a label map segmentation",
    "1.2.840.10008.5.1.4.1.1.481.2": "a dose grid",
    "1.2.840.10008.5.1.4.1.1.30": "a parametric map",
    "1.2.840.10008.5.1.4.1.1.77.1.6": "a whole-slide picture",
    "1.2.840.10008.5.1.4.1.1.66.1": "a spatial registration",
}
"""Classes that have rows and columns and yet are no scan."""

_LOCALISER = re.compile(r"locali[sz]er|\bscout|survey|topogram|surview|3.?plane|three.?plane", re.IGNORECASE)


def role_of(header: Header) -> str:
    """Return a role such as "t1", "t1ce", "t2", "flair", "dwi"; the modality in lower case where no rule fits."""
    modality = header.text(tags.MODALITY)
    if modality != "MR":
        return modality.lower() or "ot"
    with_contrast = bool(header.text(tags.CONTRAST_AGENT))
    for tag in (tags.SERIES_DESCRIPTION, tags.PROTOCOL, tags.SEQUENCE_NAME):
        if named := sequence_in(header.text(tag), with_contrast=with_contrast):
            return named
    return "mr"


def is_localiser(header: Header) -> bool:
    """Return whether a series only shows where the others were planned (PS3.3 C.8.2.1.1.1, or by its name)."""
    kinds = {kind.upper() for kind in header.texts(tags.IMAGE_TYPE)}
    if kinds & {"LOCALIZER", "SCOUT"}:
        return True
    return bool(_LOCALISER.search(header.text(tags.SERIES_DESCRIPTION) or header.text(tags.PROTOCOL)))


def referenced_series(header: Header) -> tuple[str, ...]:
    """Return the UIDs of the series that a segmentation, structure set or report speaks of; empty where unreadable."""
    try:
        with quietly():
            found = list(_series_uids(read_dataset(header.path), depth=0))
    except (FileError, *BROKEN):
        return ()
    own = header.text(tags.SERIES)
    return tuple(dict.fromkeys(uid for uid in found if uid != own))


def _series_uids(dataset: Dataset, *, depth: int) -> Iterator[str]:
    """Go through the sequences that hold references; functional groups repeat them a thousandfold and are left out."""
    for element in dataset:
        if element.tag == tags.SERIES and depth:
            yield str(element.value)
        elif element.VR == "SQ" and depth < 5 and element.keyword in _REFERENCES:
            for item in element.value:
                yield from _series_uids(item, depth=depth + 1)


_REFERENCES = frozenset(
    {
        "ReferencedSeriesSequence",
        "ReferencedFrameOfReferenceSequence",
        "RTReferencedStudySequence",
        "RTReferencedSeriesSequence",
        "CurrentRequestedProcedureEvidenceSequence",
    }
)
