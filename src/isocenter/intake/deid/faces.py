"""Faces taken out of scans of heads: found once for each frame of reference, cut out file by file."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isocenter.dicom import Series, load, scan
from isocenter.dicom.elements.element import Element, in_order
from isocenter.dicom.elements.file import DicomFile, read_file
from isocenter.dicom.elements.text import decode_text
from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header
from isocenter.dicom.files.reader import read_header
from isocenter.dicom.frames.frame import Frame
from isocenter.dicom.pictures import frames_of
from isocenter.dicom.series import WORDS
from isocenter.errors import FileError, InputError, ProofError
from isocenter.intake.deid.pixels.blank import blanked_where
from isocenter.intake.deid.pixels.stored import stored
from isocenter.processing.faces.region import FaceRegion, find_face

VISUAL_FEATURES = 0x00280302
_BODY_PART, _STUDY_DESCRIPTION = 0x00180015, 0x00081030
_SCANS = frozenset({"CT", "MR", "PT", "NM"})
_SHOWN = frozenset({"OT", "SC", "XC", "ES", "GM"})  # pictures of screens and of patients from outside
_HEAD = re.compile(
    r"head|brain|skull|neuro|cerebr|crani|\bfac(e|ial)\b|orbit|sinus|maxill|mandib|\bdental|neck|pituit|\bIAC\b"
    r"|\bTMJ\b|kopf|sch[aä]del|hals|hirn|头|颅|脑|面|眼|鼻|耳|颈|颌",
    re.IGNORECASE,
)
_ELSEWHERE = frozenset({
    "CHEST", "THORAX", "LUNG", "HEART", "ABDOMEN", "LIVER", "PANCREAS", "KIDNEY", "SPLEEN", "PELVIS", "PROSTATE",
    "BLADDER", "UTERUS", "RECTUM", "COLON", "BREAST", "HIP", "KNEE", "ANKLE", "FOOT", "LEG", "THIGH", "CALF",
    "SHOULDER", "ELBOW", "WRIST", "HAND", "FINGER", "ARM", "FOREARM", "EXTREMITY", "LSPINE", "TSPINE", "LSSPINE",
    "TLSPINE", "SSPINE", "COCCYX", "SACRUM",
})  # fmt: skip
_WHY_SHOWN = "It may be a photograph, or a rendering, of somebody's face."
_UNPLACED = "It may show a head, and its frames have no place in the patient by which a face could be cut out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Where faces are.

    Args:
        regions: By frame of reference; by series where a series has none.
        reasons: Why none was found, by the same UIDs.
    """

    regions: Mapping[str, FaceRegion] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def found_in(cls, root: Path, *, progress: Callable[[int, int], None] | None = None) -> "Faces":
        """Find the faces in every CT and MR series below a folder that may show a head, the finest series first."""
        regions, reasons = dict[str, FaceRegion](), dict[str, str]()
        series = sorted(_that_may_show_heads(root), key=lambda one: float(np.prod(one.spacing_mm)))
        for place, one in enumerate(series, 1):
            uid = one.frame_of_reference or one.series_uid
            if uid not in regions:
                try:
                    regions[uid] = find_face(load(one, accept=one.accepts))
                except InputError as error:
                    reasons.setdefault(uid, str(error))
            if progress is not None:
                progress(place, len(series))
        return cls(regions=regions, reasons=reasons)

    def cut(self, path: Path, was: DicomFile, clean: DicomFile) -> tuple[DicomFile, int]:
        """Return a file without the face that it shows, and how many frames were changed.

        Args:
            path: The file as it came; its geometry is read from there.
            was: What it holds.
            clean: What is to leave.

        Raises:
            FileError: It may show a face that nobody can find, or cut out; the message says why.
            ProofError: Brain would be cut, or another pixel differ.
        """
        if not may_show_face(was):
            return (_said(clean) if was.holds_pixels else clean), 0
        region = self._region(was)
        frames, touched = _by_place(path), list[int]()

        def where(place: int, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
            mask = _mask(frames.get(place), region, shape)
            touched.extend([place] * bool(mask.any()))
            return mask

        return _said(blanked_where(clean, where)), len(touched)

    def left(self, path: Path, was: DicomFile, now: Path) -> int:
        """Return in how many frames of a file that is to leave anything stands where a face was.

        Raises:
            FileError: It cannot be decoded.
        """
        if not may_show_face(was):
            return 0
        region, frames, count = self._region(was), _by_place(path), 0
        for place, (frame, _) in enumerate(stored(read_file(now))):
            inside = frame[_mask(frames.get(place), region, (frame.shape[0], frame.shape[1]))]
            count += bool(len(inside) and (inside != inside[0]).any())
        return count

    def _region(self, was: DicomFile) -> FaceRegion:
        if was.text(tags.MODALITY).upper() in _SHOWN:
            raise FileError(_WHY_SHOWN)
        uid = was.text(tags.FRAME_OF_REFERENCE) or was.text(tags.SERIES)
        if uid not in self.regions:
            why = self.reasons.get(uid, "No volume of its frame of reference shows one.")
            raise FileError(f"It may show a head, and no face could be found in it: {why} State Body Part Examined "
                            "where it is none.")  # fmt: skip
        return self.regions[uid]


def may_show_face(file: DicomFile) -> bool:
    """Return whether a file may show a face: scans of heads, or of a part that nobody names, and pictures of people."""
    modality = file.text(tags.MODALITY).upper()
    if not file.holds_pixels or modality not in _SCANS | _SHOWN:
        return False
    charset = file.text(tags.CHARACTER_SET)
    said = (file.find(tag) for tag in (_BODY_PART, _STUDY_DESCRIPTION, tags.SERIES_DESCRIPTION, tags.PROTOCOL))
    if any(_HEAD.search(decode_text(one.value, charset)) for one in said if one is not None):
        return True
    return re.sub(r"[^A-Z]", "", file.text(_BODY_PART).upper()) not in _ELSEWHERE


def _that_may_show_heads(root: Path) -> Iterator[Series]:
    for one in scan(root).series:
        try:
            is_meant = one.modality in ("CT", "MR") and set(one.accepts) <= set(WORDS) - {"localiser"}
            if is_meant and len(one.instances) > 1 and may_show_face(read_file(one.instances[0].path)):
                yield one
        except FileError:
            continue  # it is treated later, and the reason told


def _by_place(path: Path) -> Mapping[int, list[Frame]]:
    """Return the frames of a file by their place in it; the tiles of a mosaic lie in one.

    Raises:
        FileError: One has no place in the patient, or is a projection through the patient.
    """
    header: Header = read_header(path)
    found: dict[int, list[Frame]] = {}
    for frame in frames_of(header):
        is_projection = header.text(tags.MODALITY) == "CT" and "LOCALIZER" in header.text(tags.IMAGE_TYPE).upper()
        if frame.position is None or frame.orientation is None or frame.spacing is None or is_projection:
            raise FileError(_UNPLACED)
        found.setdefault(0 if frame.tile is not None else frame.index, []).append(frame)
    return found


def _mask(frames: Sequence[Frame] | None, region: FaceRegion, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which pixels of a stored frame, or of a mosaic of several, show what is to be removed.

    Raises:
        FileError: Nobody says where the frame lies.
        ProofError: Brain would be among them.
    """
    if not frames:
        raise FileError(_UNPLACED)
    mask = np.zeros(shape, bool)
    for frame in frames:
        points = _points(frame)
        covered = region.covers(points)
        if (covered & region.holds_brain(points)).any():
            raise ProofError("Removing the face would cut brain; the file was not written.")
        row, column = frame.tile or (0, 0)
        mask[row : row + frame.shape[0], column : column + frame.shape[1]] = covered
    return mask


def _points(frame: Frame) -> npt.NDArray[np.float64]:
    """Return where the pixels of a frame lie, (rows, columns, 3) in LPS mm (PS3.3 C.7.6.2.1.1)."""
    position, orientation, spacing = frame.position, frame.orientation, frame.spacing
    if position is None or orientation is None or spacing is None:
        raise FileError(_UNPLACED)
    along_row, along_column = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    down, across = (np.arange(count) * step for count, step in zip(frame.shape, spacing, strict=True))
    return np.asarray(np.asarray(position) + down[:, None, None] * along_column + across[None, :, None] * along_row)


def _said(file: DicomFile) -> DicomFile:
    return replace(file, elements=in_order([*file.elements, Element(VISUAL_FEATURES, "CS", b"NO")]))
