"""Labels in DICOM's words: coded structures, categories, colours."""

import hashlib
import re
from collections.abc import Iterable

from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes

from isocenter.image import Code, Label

PRIVATE_SCHEME = "99ISO"

_STRUCTURE = Code(value="123037004", scheme="SCT", meaning="Anatomical Structure")
_ALTERED = Code(value="49755003", scheme="SCT", meaning="Morphologically Altered Structure")
_ALTERED_WORDS = re.compile(
    r"tumou?r|lesion|nodule|metasta|cancer|carcinoma|o?edema|necro|enhanc|cyst|h[a]?emorrhage|infarct|aneurysm|"
    r"polyp|stone|abscess|fracture|肿瘤|病灶|结节|水肿|囊肿|出血|梗死",
    re.IGNORECASE,
)


def describe(labels: Iterable[Label], *, algorithm: str, version: str) -> list[SegmentDescription]:
    """Return one description a label, numbered from 1 in the order given, found by an algorithm alone.

    Args:
        labels: The structures.
        algorithm, version: By which; an empty name says that a person drew them.
    """
    made_by = None if not algorithm else AlgorithmIdentificationSequence(
        name=algorithm[:64], version=version[:64], family=codes.DCM.ArtificialIntelligence
    )  # fmt: skip
    kind = SegmentAlgorithmTypeValues.AUTOMATIC if algorithm else SegmentAlgorithmTypeValues.MANUAL
    return [
        SegmentDescription(
            segment_number=number,
            segment_label=segment_label(label),
            segmented_property_category=_concept(_category(label)),
            segmented_property_type=_concept(property_type(label)),
            algorithm_type=kind,
            algorithm_identification=made_by,
            display_color=CIELabColor.from_rgb(*label.colour),
        )
        for number, label in enumerate(labels, 1)
    ]


def segment_label(label: Label) -> str:
    """Return a label's name as it stands in the object: at most 64 characters, no backslash (PS3.5 6.2, LO)."""
    return label.name.replace("\\", "/").strip()[:64]


def property_type(label: Label) -> Code:
    """Return the label's own code, or a private one whose value depends on the name alone."""
    if label.code is not None:
        return label.code
    slug = re.sub(r"[^A-Z0-9]+", "-", label.name.upper()).strip("-")
    if not slug or len(slug) > 16 or not label.name.isascii():
        slug = f"{slug[:9]}-{hashlib.sha256(label.name.encode()).hexdigest()[:6].upper()}".lstrip("-")
    return Code(value=slug, scheme=PRIVATE_SCHEME, meaning=segment_label(label))


def _category(label: Label) -> Code:
    """Return whether a structure belongs to every body or to a disease, by its name and its code's meaning."""
    words = f"{label.name} {label.code.meaning if label.code else ''}"
    return _ALTERED if _ALTERED_WORDS.search(words) else _STRUCTURE


def _concept(code: Code) -> CodedConcept:
    return CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning[:64])
