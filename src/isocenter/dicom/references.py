"""Which images a segmentation or a structure set speaks of."""

from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from isocenter.errors import FileError

_SEQUENCES = (
    "ReferencedSeriesSequence", "ReferencedFrameOfReferenceSequence", "SourceImageSequence", "ROIContourSequence",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What an object refers to, by UID; UIDs lead to a patient, so they are not shown.

    Args:
        series: Series Instance UIDs; empty where the writer left them out.
        instances: SOP Instance UIDs of images.
    """

    series: frozenset[str] = field(repr=False)
    instances: frozenset[str] = field(repr=False)


def references(path: Path) -> References:
    """Return the series and images that a SEG or RTSTRUCT speaks of.

    Raises:
        FileError: The file cannot be read.
    """
    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
    except (InvalidDicomError, EOFError, ValueError, NotImplementedError) as error:
        raise FileError(f"{path.name} is no readable DICOM file ({error}).") from error
    except OSError as error:
        raise FileError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    series: set[str] = set()
    instances: set[str] = set()
    for keyword in _SEQUENCES:
        for item in dataset.get(keyword, []):
            _collect(item, series, instances)
    return References(series=frozenset(series), instances=frozenset(instances))


def _collect(item: Dataset, series: set[str], instances: set[str]) -> None:
    for element in item:
        if element.keyword == "SeriesInstanceUID":
            series.add(str(element.value))
        elif element.keyword == "ReferencedSOPInstanceUID":
            instances.add(str(element.value))
        elif element.VR == "SQ":
            for inner in element.value:
                _collect(inner, series, instances)
