"""LIDC's XML: nodules as each of several radiologists saw them, with nine ratings and contours."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from isocenter.case import Asked, Entry, Level, Observation, Reading, Schema
from isocenter.dicom.structures.contours import fill_contours
from isocenter.errors import FileError, GridError, InputError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.labelling.imports.trees import parsed
from isocenter.intake.labelling.said import Heard, Said, Wanted, homeless
from isocenter.intake.steady import read_steady

_FIVE = ("1", "2", "3", "4", "5")
_GRADES = ("subtlety", "sphericity", "margin", "lobulation", "spiculation", "texture", "malignancy")
_CLASSES = {"internalStructure": ("1", "2", "3", "4"), "calcification": ("1", "2", "3", "4", "5", "6")}
NODULE, SMALL = "nodule", "small nodule"
LIDC = Schema(
    name="LIDC",
    findings=(
        Asked(
            name=NODULE, several=True,
            levels=(
                *(Level(name=name, form="grades", words=_FIVE) for name in _GRADES),
                *(Level(name=name, form="classes", words=words) for name, words in _CLASSES.items()),
            ),
        ),
        Asked(name=SMALL, several=True),
    ),
)  # fmt: skip
"""What LIDC's readers were asked. Source: Armato et al. 2011, Med Phys 38:915; nodules below 3 mm have no ratings."""

_TABLE = LabelTable.of(NODULE)
_OFF = 0.5  # share of a slice's step by which a contour's z may lie beside its slice

Marks = tuple[list[Observation], npt.NDArray[np.uint8]]


def read_lidc(path: Path, wanted: Wanted) -> Heard:
    """Return what each reading session of LIDC's files says; sessions are "reader-1", "reader-2", … in their order.

    The sessions of one file are of several radiologists who had seen each other's marks in the second round, so the
    readings are not blinded; session 1 of one file need not be the radiologist of session 1 of another.
    """
    paths = sorted(path.rglob("*.xml")) if path.is_dir() else [path]
    said = (one for file in paths for one in _of_file(file, path if path.is_dir() else path.parent, wanted))
    return Heard(form="lidc", schema=LIDC, said=said)


def _of_file(path: Path, root: Path, wanted: Wanted) -> Iterator[Said | Issue]:
    where = path.relative_to(root).as_posix()
    try:
        content, digest = read_steady(path, name=where)
        tree = parsed(content, name=where)
        uids = [
            (tree.findtext(f"ResponseHeader/{name}") or "").strip()
            for name in ("SeriesInstanceUid", "StudyInstanceUID")
        ]
        entry = wanted.case_of(*(uid for uid in uids if uid), path.name)
        if entry is None:
            yield homeless(where)
            return
        volume = wanted.image(entry)
        for number, session in enumerate(tree.iter("readingSession"), 1):
            yield _session(session, entry, volume, reader=f"reader-{number}", files={where: digest})
    except InputError as error:
        yield issue_of(error, where=where)
    except ValueError as error:
        yield issue_of(FileError(f"a coordinate or rating is no number ({error})"), where=where)


def _session(session: ElementTree.Element, entry: Entry, volume: Volume, *, reader: str, files: dict[str, str]) -> Said:
    labels = np.zeros(volume.shape, dtype=np.uint8)
    seen = [_nodule(nodule, volume, labels) for nodule in session.iter("unblindedReadNodule")]
    reading = Reading(
        reader=reader, image=next(iter(entry.volumes.values())), asked=(NODULE, SMALL), observations=tuple(seen),
        blinded=False,
    )  # fmt: skip
    return Said(
        case=entry.id, reading=reading, mask=Mask(labels=labels, affine=volume.affine, table=_TABLE), files=files
    )


def _nodule(told: ElementTree.Element, volume: Volume, labels: npt.NDArray[np.uint8]) -> Observation:
    """Return a nodule, and fill it in: LIDC's contours run around it, on the first pixels outside."""
    ratings = told.find("characteristics")
    levels = {
        level.name: level.read(text)
        for level in LIDC.finding(NODULE).levels
        if ratings is not None and (text := (ratings.findtext(level.name) or "").strip())
    }
    places = []
    for roi in told.iter("roi"):
        edge = np.array([(_int(one, "yCoord"), _int(one, "xCoord")) for one in roi.iter("edgeMap")], dtype=np.float64)
        at = _slice(float(roi.findtext("imageZposition") or "nan"), volume)
        is_solid = (roi.findtext("inclusion") or "TRUE").strip().upper() != "FALSE"
        if is_solid:
            places.append((at, edge))
        if len(edge) > 2:
            inside = fill_contours([edge], (volume.shape[1], volume.shape[2]))
            rows, columns = edge.astype(int).T
            inside[rows.clip(0, volume.shape[1] - 1), columns.clip(0, volume.shape[2] - 1)] = False
            labels[at][inside] = 1 if is_solid else 0
    if not places:
        raise FileError("a nodule without a contour")
    # of nodules below 3 mm only one point near the centre was marked
    return Observation(finding=NODULE if levels else SMALL, levels=levels, box=_box(places))


def _box(
    places: list[tuple[int, npt.NDArray[np.float64]]],
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    slices = [at for at, _ in places]
    edges = np.concatenate([edge for _, edge in places])
    low, high = edges.min(0), edges.max(0)
    if (high - low >= 2).all():  # around it: one pixel less on each side
        low, high = low + 1, high - 1
    (row, column), (to_row, to_column) = low.tolist(), (high + 1).tolist()
    return (float(min(slices)), row, column), (max(slices) + 1.0, to_row, to_column)


def _slice(z_mm: float, volume: Volume) -> int:
    """Return the slice that lies at a z in mm.

    Raises:
        GridError: None does: the contours were drawn on another series.
    """
    origin = volume.affine.matrix[:3, 3]
    along = float(volume.affine.to_index(np.array([[origin[0], origin[1], z_mm]]))[0, 0])
    at = round(along)
    if not 0 <= at < volume.shape[0] or abs(along - at) > _OFF - 1e-6:
        raise GridError(f"A contour lies at z = {z_mm:g} mm, where the image has no slice. Take in its own series.")
    return at


def _int(told: ElementTree.Element, name: str) -> int:
    return int((told.findtext(name) or "").strip())
