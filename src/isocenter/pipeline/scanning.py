"""Steps that need no store: scan a folder, convert a volume."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocenter.dicom import Scan
from isocenter.dicom import scan as scan_folder
from isocenter.dicom.export import write_series
from isocenter.errors import FileError, InputError
from isocenter.image import write_nifti
from isocenter.intake.opening import is_nifti, open_input
from isocenter.pipeline.ground import Watch, told
from isocenter.pipeline.outcome import Converted
from isocenter.pipeline.public import document, known


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """The series below a folder, each with its verdict."""

    folder: Path
    found: Scan
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `scan`; it names no patient and no UID."""
        series = [
            {
                "index": index,
                "modality": one.modality,
                "sequence": one.sequence,
                "part": one.part,
                "shape": list(one.shape),
                "spacing_mm": [known(round(mm, 4)) for mm in one.spacing_mm],
                "verdict": one.verdict,
                "reason": one.reason,
                "accepts": list(one.accepts),
                "slices": len(one.instances),
            }
            for index, one in enumerate(self.found, 1)
        ]
        others = Counter(reason for _, reason in self.found.refused)
        return document(
            "scan",
            folder=str(self.folder),
            files=self.found.files,
            seconds=self.seconds,
            series=series,
            others=[{"reason": reason, "count": count} for reason, count in others.most_common()],
        )


def scan(folder: Path, *, progress: Watch | None = None) -> Scanned:
    """Return the DICOM series below a folder, in a file or a zip, each with a verdict in mm.

    Raises:
        FileError: The folder is not there, may not be read, or holds no file.
    """
    begun = time.monotonic()
    folder = Path(folder)
    found = scan_folder(folder, progress=told(progress, "scan"))
    if found.files == 0:
        raise FileError(f"{folder} holds no file. Name the folder that the images were exported to.")
    return Scanned(folder=folder, found=found, seconds=time.monotonic() - begun)


def convert(
    input: Path,  # noqa: A002 - its name on every door
    out: Path,
    *,
    accept: tuple[str, ...] = (),
    series: int | None = None,
    modality: str | None = None,
    progress: Watch | None = None,
) -> Converted:
    """Turn a DICOM series or a picture into a NIfTI file, or a volume into a DICOM series.

    Args:
        input: DICOM folder, file or zip, a NIfTI file, or a picture in grey.
        out: A name that ends in .nii or .nii.gz, or else a folder for a DICOM series.
        accept: Words that take a series in spite of its verdict.
        series: Which series, as `scan` numbers them.
        modality: "CT" or "MR" of a series made from a file that does not say it.
        progress: Told how far it is.

    Raises:
        FileError: Nothing there that can be read, or `out` exists.
        SeriesError: No series, several, or one whose verdict is not accepted.
        InputError: A volume that the other form cannot hold.
    """
    begun = time.monotonic()
    out = Path(out)
    if out.is_file():
        raise FileError(f"{out} exists; name a new file.")
    opened = open_input(Path(input), accept=accept, series=series, progress=told(progress, "scan"))
    volume = next(iter(opened.volumes.values()))
    if modality is not None and opened.kind != "dicom":
        volume = replace(volume, modality=modality, unit="HU" if modality == "CT" else "1")
    out.parent.mkdir(parents=True, exist_ok=True)
    if is_nifti(out):
        write_nifti(volume, out)
    elif opened.kind == "dicom":
        raise InputError(f"{out} is no NIfTI name. A DICOM series is converted to a file ending in .nii.gz or .nii.")
    else:
        write_series(volume, out)
    return Converted(
        out=out, modality=volume.modality, shape=volume.shape, spacing_mm=volume.spacing,
        seconds=time.monotonic() - begun,
    )  # fmt: skip
