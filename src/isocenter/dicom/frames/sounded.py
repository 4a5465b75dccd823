"""How large a pixel of an ultrasound picture is, by the regions that its header calibrates (PS3.3 C.8.5.5)."""

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header
from isocenter.dicom.files.slow import BROKEN, quietly, read_dataset
from isocenter.errors import FileError

_CENTIMETRES = 3  # PhysicalUnitsXDirection, PS3.3 C.8.5.5.1.15
_TWO_D = 1  # RegionSpatialFormat: tissue, and not a curve over time
_ALIKE = 0.01


def sounded_mm(header: Header) -> tuple[float, float] | None:
    """Return mm between rows and between columns of an ultrasound picture; None where it is of no one size.

    Regions of tissue count, calibrated in cm along both axes; where they are of several scales, no size holds.
    """
    if header.text(tags.MODALITY) != "US":
        return None
    try:
        with quietly():
            found = _sizes(header)
    except (FileError, *BROKEN):
        return None
    if not found or any(abs(a - b) > _ALIKE * b for one in found for a, b in zip(one, found[0], strict=True)):
        return None
    return found[0]


def _sizes(header: Header) -> list[tuple[float, float]]:
    sizes = []
    for region in read_dataset(header.path).get("SequenceOfUltrasoundRegions") or []:
        units = {region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection")}
        if region.get("RegionSpatialFormat") != _TWO_D:
            continue
        size = abs(float(region.get("PhysicalDeltaY", 0))) * 10, abs(float(region.get("PhysicalDeltaX", 0))) * 10
        if units != {_CENTIMETRES} or min(size) <= 0:
            return []
        sizes.append(size)
    return sizes
