"""Which images a DICOM object speaks of, and what a structured report of measurements (TID 1500) says of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset

from isocenter.dicom.files.slow import read_dataset
from isocenter.dicom.objects import told
from isocenter.errors import FileError

_LISTS = (
    "ReferencedSeriesSequence", "ReferencedFrameOfReferenceSequence", "CurrentRequestedProcedureEvidenceSequence",
    "PertinentOtherEvidenceSequence",
)  # fmt: skip
_INSTANCES = ("ReferencedInstanceSequence", "ContourImageSequence", "ReferencedSOPSequence")
_OBSERVER, _MEASUREMENTS, _GROUP = "121008", "126010", "125007"  # DCM, PS3.16 TID 1500 and 1501
_FINDING, _TRACKING = "121071", "112039"
_SITES = ("363698007", "G-C0E3")  # finding site in SNOMED CT, and as it was written before


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """An object that speaks of images. UIDs and the observer's name are for the caller that makes pseudonyms.

    Args:
        kind: "SEG", "RTSTRUCT" or "SR".
        study, series, instances: UIDs of what it speaks of.
        observer: Name of the person who observed; empty where none is named.
        dataset: The object.
    """

    kind: str
    study: str = field(repr=False)
    series: tuple[str, ...] = field(repr=False)
    instances: tuple[str, ...] = field(repr=False)
    observer: str = field(repr=False)
    dataset: Dataset = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One measurement group of a structured report (PS3.16 TID 1501).

    Args:
        finding: Meaning of its finding, in lower case; "finding" where none is coded.
        words: Name to coded answer; the finding's site under "place".
        numbers: Name to (value, unit).
    """

    finding: str
    words: Mapping[str, str]
    numbers: Mapping[str, tuple[float, str]]


def read_spoken(path: Path) -> Spoken:
    """Return what a segmentation, structure set or structured report speaks of.

    Raises:
        FileError: Damaged, or another kind of object.
    """
    with told(path, "DICOM object of labels"):
        dataset = read_dataset(path, with_pixels=False)
        kind = str(dataset.get("Modality") or "")
        if kind not in ("SEG", "RTSTRUCT", "SR"):
            raise FileError(f"this is no SEG, RTSTRUCT or SR; its modality is {kind or 'not said'}.")
        lists = [item for name in _LISTS for item in dataset.get(name) or ()]
        inner = list(_walk(lists))
        instances = [
            str(item.ReferencedSOPInstanceUID) for one in inner for name in _INSTANCES for item in one.get(name) or ()
        ]
        return Spoken(
            kind=kind, study=str(dataset.get("StudyInstanceUID") or ""),
            series=tuple(dict.fromkeys(str(one.SeriesInstanceUID) for one in inner if one.get("SeriesInstanceUID"))),
            instances=tuple(dict.fromkeys(instances)), observer=_observer(dataset), dataset=dataset,
        )  # fmt: skip


def measurement_groups(spoken: Spoken, path: Path) -> tuple[Group, ...]:
    """Return the measurement groups of a structured report of TID 1500.

    Args:
        spoken: As it was read.
        path: Its file, for a message.

    Raises:
        FileError: Damaged, or a report of another template.
    """
    with told(path, "structured report of measurements"):
        found = [one for one in spoken.dataset.get("ContentSequence") or () if _code(one) == _MEASUREMENTS]
        if not found:
            raise FileError("this report holds no imaging measurements (TID 1500).")
        return tuple(_group(one) for part in found for one in part.get("ContentSequence") or () if _code(one) == _GROUP)


def _group(item: Dataset) -> Group:
    words: dict[str, str] = {}
    numbers: dict[str, tuple[float, str]] = {}
    finding = "finding"
    for one in item.get("ContentSequence") or ():
        name = _meaning(one.get("ConceptNameCodeSequence"))
        if one.ValueType == "NUM" and one.get("MeasuredValueSequence"):
            measured = one.MeasuredValueSequence[0]
            unit = str(measured.MeasurementUnitsCodeSequence[0].CodeValue)
            numbers[name] = float(measured.NumericValue), "" if unit == "1" else unit
        elif one.ValueType == "CODE" and _code(one) == _FINDING:
            finding = _meaning(one.ConceptCodeSequence)
        elif one.ValueType == "CODE":
            words["place" if _code(one) in _SITES else name] = _meaning(one.ConceptCodeSequence)
    return Group(finding=finding, words=words, numbers=numbers)


def _walk(items: Iterable[Dataset]) -> Iterator[Dataset]:
    for item in items:
        yield item
        for element in item:
            if element.VR == "SQ" and element.keyword not in _INSTANCES:
                yield from _walk(element.value or ())


def _observer(dataset: Dataset) -> str:
    for item in dataset.get("ContentSequence") or ():
        if _code(item) == _OBSERVER:
            return str(item.get("PersonName") or item.get("TextValue") or "")
    return ""


def _code(item: Dataset) -> str:
    codes = item.get("ConceptNameCodeSequence")
    return str(codes[0].get("CodeValue", "")) if codes else ""


def _meaning(codes: object) -> str:
    return str(codes[0].CodeMeaning).strip().lower() if codes else ""  # type: ignore[index]
