"""One picture inside a DICOM file: where it lies, how its values scale, and what sets it apart from its neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header
from isocenter.dicom.verdict.geometry import is_orientation

Key = tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A single-frame file, one frame of a multi-frame one, or one tile of a mosaic.

    Args:
        header: Of its file.
        index: Frame number in the file, from 0.
        tile: (row, column) of the first pixel in a mosaic; None elsewhere.
        shape: (rows, columns).
        position: ImagePositionPatient in LPS mm; None where the header has none.
        orientation: Six cosines; None where there is none, or none that is one.
        spacing: (between rows, between columns) in mm; None where unknown.
        thickness_mm: Step assumed where there is one slice only.
        rescale: (slope, intercept).
        key: What one volume has in common; frames that differ in it never share one.
        times: What may tell apart frames at one position, tried in this order.
        in_mm: Whether `spacing` is millimetres, and not only the ratio of a pixel's edges.
    """

    header: Header
    index: int = 0
    tile: tuple[int, int] | None = None
    shape: tuple[int, int]
    position: tuple[float, float, float] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, float] | None
    thickness_mm: float
    rescale: tuple[float, float]
    key: Key
    times: Key
    in_mm: bool = True


def plain_frame(header: Header) -> Frame:
    """Return the one picture that a classic header speaks of."""
    shape = header.integer(tags.ROWS), header.integer(tags.COLUMNS)
    orientation = header.numbers(tags.ORIENTATION)
    return Frame(
        header=header,
        shape=shape,
        position=triple(header.numbers(tags.POSITION)),
        orientation=orientation if is_orientation(orientation) else None,
        spacing=pixel_spacing(header),
        thickness_mm=thickness(header),
        rescale=(header.number(tags.SLOPE, 1.0), header.number(tags.INTERCEPT, 0.0)),
        key=common_key(header, shape=shape) + _contrast_key(header),
        times=_times(header),
        in_mm=stated_mm(header) is not None,
    )


def triple(numbers: Sequence[float]) -> tuple[float, float, float] | None:
    """Return three finite numbers as a position, or None."""
    if len(numbers) != 3 or not all(abs(number) < 1e6 for number in numbers):
        return None
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def stated_mm(header: Header) -> tuple[float, float] | None:
    """Return mm between rows and between columns: of the patient, else at the detector or scanner; None if unsaid.

    At the detector (ImagerPixelSpacing) things look larger than they are by the geometry of projection.
    """
    for tag in (tags.PIXEL_SPACING, tags.IMAGER_PIXEL_SPACING, tags.NOMINAL_SCANNED_SPACING):
        found = header.numbers(tag)
        if len(found) == 2 and min(found) > 0 and max(found) < 1e4:
            return found[0], found[1]
    return None


def pixel_spacing(header: Header) -> tuple[float, float] | None:
    """Return mm between rows and between columns, else the pixels' ratio."""
    stated = stated_mm(header)
    if stated is not None:
        return stated
    ratio = header.numbers(tags.ASPECT_RATIO)
    if tags.POSITION in header.values:
        return None  # what lies in a patient has millimetres; a ratio has none
    if len(ratio) == 2 and min(ratio) > 0:
        return ratio[0] / ratio[1], 1.0  # vertical over horizontal size of a pixel, PS3.3 C.7.6.3.1.7
    return None


def thickness(header: Header) -> float:
    """Return the step that a lone slice stands for, in mm."""
    for tag in (tags.SPACING_BETWEEN_SLICES, tags.SLICE_THICKNESS):
        found = abs(header.number(tag, 0.0))
        if 0 < found < 1e4:
            return found
    return 1.0


def common_key(header: Header, *, shape: tuple[int, int]) -> Key:
    """Return what no volume mixes: matrix, pixel format, image type, frame of the pixels' meaning."""
    kinds = header.texts(tags.IMAGE_TYPE)
    return (
        ("rows", shape[0]),
        ("columns", shape[1]),
        ("class", header.text(tags.SOP_CLASS)),
        ("samples", header.integer(tags.SAMPLES, 1)),
        ("photometric", header.text(tags.PHOTOMETRIC)),
        ("bits", header.integer(tags.BITS_ALLOCATED)),
        ("frame of reference", header.text(tags.FRAME_OF_REFERENCE)),
        ("image type", tuple(kind for kind in kinds if kind not in ("NORM", "FM", "FIL"))),
    )


def _contrast_key(header: Header) -> Key:
    echo = header.numbers(tags.ECHO_TIME)
    inversion = header.numbers(tags.INVERSION_TIME)
    weight = header.doubles(tags.B_VALUE) or header.numbers(tags.SIEMENS_B_VALUE)
    is_ct = header.text(tags.MODALITY) == "CT"
    return (
        ("echo time", round(echo[0], 2) if echo else None),
        ("echo", header.text(tags.ECHO_NUMBER)),
        ("inversion time", round(inversion[0], 1) if inversion else None),
        ("b-value", weight[0] if weight else None),
        ("direction", tuple(round(part, 4) for part in header.doubles(tags.GRADIENT))),
        ("time", header.text(tags.TEMPORAL_POSITION)),
        ("kernel", header.text(tags.KERNEL) if is_ct else ""),
        # HU is one scale: a slice on another was damaged, or belongs elsewhere
        ("rescale", (header.text(tags.SLOPE), header.text(tags.INTERCEPT)) if is_ct else ""),
    )


def _times(header: Header) -> Key:
    """Return what tells repeats of one position apart, the most telling first."""
    return (
        ("acquisition", header.text(tags.ACQUISITION_NUMBER)),
        ("cardiac phase", header.text(tags.TRIGGER_TIME)),
        ("acquisition time", header.text(tags.ACQUISITION_DATE_TIME) or header.text(tags.ACQUISITION_TIME)),
        ("content time", header.text(tags.CONTENT_TIME)),
    )
