"""Multi-frame objects: each frame's place and meaning from its functional groups (PS3.3 C.7.6.16)."""

from collections.abc import Sequence
from dataclasses import replace
from math import nan

from pydicom.dataset import Dataset

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header
from isocenter.dicom.files.slow import BROKEN, quietly, read_dataset
from isocenter.dicom.frames.frame import Frame, Key, common_key, pixel_spacing, stated_mm, thickness, triple
from isocenter.dicom.verdict.geometry import is_orientation
from isocenter.errors import FileError

_MOST_FRAMES = 1 << 16


def enhanced_frames(header: Header) -> tuple[Frame, ...]:
    """Return the frames of an enhanced object.

    Raises:
        FileError: Its functional groups cannot be read.
    """
    try:
        with quietly():
            return _frames(header, read_dataset(header.path))
    except FileError:
        raise
    except BROKEN as error:
        raise FileError("A multi-frame file's functional groups are damaged. Copy it again from its source.") from error


def _frames(header: Header, dataset: Dataset) -> tuple[Frame, ...]:
    shared = _first(dataset, "SharedFunctionalGroupsSequence")
    each = dataset.get("PerFrameFunctionalGroupsSequence") or []
    count = int(header.number(tags.FRAMES, 1))
    if not 0 < count <= _MOST_FRAMES or len(each) not in (0, count):
        raise FileError(f"A multi-frame file describes {len(each)} frames but says it holds {count}.")
    nothing = Dataset()
    return tuple(_frame(header, index, groups=(each[index] if each else nothing, shared)) for index in range(count))


def unplaced_frames(plain: Frame, *, count: int) -> tuple[Frame, ...]:
    """Return the frames of a classic multi-frame object, such as an ultrasound loop, in their order.

    Raises:
        FileError: It claims more frames than any object has.
    """
    if count > _MOST_FRAMES:
        raise FileError(f"A file claims {count} frames. Copy it again from its source.")
    return tuple(replace(plain, index=index, position=None) for index in range(count))


def _first(groups: Dataset, keyword: str) -> Dataset:
    """Return the first item of a sequence, an empty data set where there is none."""
    found = groups.get(keyword)
    return found[0] if found else Dataset()


def _group(groups: Sequence[Dataset], keyword: str) -> Dataset:
    """Return a functional group of the frame itself, else the one that all frames share."""
    return next((_first(part, keyword) for part in groups if part.get(keyword)), Dataset())


def _numbers(value: object) -> tuple[float, ...]:
    if value is None or value == "":
        return ()
    return tuple(float(part) for part in value) if isinstance(value, Sequence) else (float(str(value)),)


def _frame(header: Header, index: int, *, groups: Sequence[Dataset]) -> Frame:
    measures = _group(groups, "PixelMeasuresSequence")
    values = _group(groups, "PixelValueTransformationSequence")
    orientation = _numbers(_group(groups, "PlaneOrientationSequence").get("ImageOrientationPatient"))
    spacing = _numbers(measures.get("PixelSpacing"))
    step = _numbers(measures.get("SpacingBetweenSlices")) or _numbers(measures.get("SliceThickness"))
    shape = header.integer(tags.ROWS), header.integer(tags.COLUMNS)
    is_stated = len(spacing) == 2 and min(spacing) > 0
    return Frame(
        header=header,
        index=index,
        shape=shape,
        position=triple(_numbers(_group(groups, "PlanePositionSequence").get("ImagePositionPatient"))),
        orientation=orientation if is_orientation(orientation) else None,
        spacing=(spacing[0], spacing[1]) if is_stated else pixel_spacing(header),
        thickness_mm=abs(step[0]) if step and step[0] else thickness(header),
        rescale=_rescale(header, values),
        key=common_key(header, shape=shape) + _contrast_key(groups),
        times=_times(header, groups),
        in_mm=is_stated or stated_mm(header) is not None,
    )


def _rescale(header: Header, values: Dataset) -> tuple[float, float]:
    """Return slope and intercept; nan for a CT that lacks them, which the standard does not allow."""
    missing = nan if header.text(tags.MODALITY) == "CT" else None
    slope = values.get("RescaleSlope", missing if missing is not None else header.number(tags.SLOPE, 1.0))
    intercept = values.get("RescaleIntercept", missing if missing is not None else header.number(tags.INTERCEPT, 0.0))
    return float(slope), float(intercept)


def _contrast_key(groups: Sequence[Dataset]) -> Key:
    echo = _numbers(_group(groups, "MREchoSequence").get("EffectiveEchoTime"))
    diffusion = _group(groups, "MRDiffusionSequence")
    weight = _numbers(diffusion.get("DiffusionBValue"))
    direction = _numbers(_first(diffusion, "DiffusionGradientDirectionSequence").get("DiffusionGradientOrientation"))
    content = _group(groups, "FrameContentSequence")
    return (
        ("echo time", round(echo[0], 2) if echo else None),
        ("kind", _kind(groups)),
        ("b-value", weight[0] if weight else None),
        ("direction", tuple(round(part, 4) for part in direction)),
        ("stack", str(content.get("StackID", ""))),
        ("time", str(content.get("TemporalPositionIndex", ""))),
    )


def _kind(groups: Sequence[Dataset]) -> tuple[str, ...]:
    """Return what a frame shows: its frame type and part of a complex value."""
    for keyword in ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence"):
        found = _group(groups, keyword)
        if found:
            kinds = found.get("FrameType") or ()
            words = [kinds] if isinstance(kinds, str) else list(kinds)
            return (*(str(word) for word in words), str(found.get("ComplexImageComponent", "")))
    return ()


def _times(header: Header, groups: Sequence[Dataset]) -> Key:
    """Return what may part frames of one position: cardiac phase, the file, then any stated dimension."""
    phase = _group(groups, "CardiacSynchronizationSequence").get("NominalCardiacTriggerDelayTime")
    dimensions = _numbers(_group(groups, "FrameContentSequence").get("DimensionIndexValues"))
    return (
        ("cardiac phase", str(phase or "")),
        ("acquisition", header.text(tags.ACQUISITION_NUMBER)),
        ("instance", header.text(tags.INSTANCE_NUMBER)),
        *((f"dimension {place}", int(number)) for place, number in enumerate(dimensions, start=1)),
    )
