"""The evidence of a run as pages and files, with a sample of what leaves."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy.typing as npt

from isocenter.dicom.elements.file import read_file
from isocenter.errors import FileError
from isocenter.image.raster import read_raster
from isocenter.intake.deid.evidence import Evidence
from isocenter.intake.deid.ledger import EVIDENCE
from isocenter.intake.deid.pixels.cleaner import has_pixels
from isocenter.intake.deid.pixels.picture import shown_as
from isocenter.intake.deid.pixels.stored import shown
from isocenter.intake.deid.profile.options import FEATURES
from isocenter.intake.deid.profile.table import EDITION
from isocenter.pages.evidence import BoundRow, EvidencePage, write_evidence
from isocenter.pages.sheet import contact_sheet
from isocenter.pages.words import LANGUAGES

_SAMPLE = 48


def write_all(evidence: Evidence, out: Path) -> None:
    """Write evidence.json, sheet.png and a page in each language to OUT/evidence, beside the files' ledger.

    Raises:
        FileError, StoreError: The folder cannot be written.
    """
    folder = out / EVIDENCE
    folder.mkdir(exist_ok=True)
    frames = list(_sampled(evidence, out))
    sheet = contact_sheet(frames) if frames else b""
    if sheet:
        (folder / "sheet.png").write_bytes(sheet)
    text = json.dumps(evidence.to_json(), ensure_ascii=False, indent=1)
    (folder / "evidence.json").write_text(text + "\n", encoding="utf-8")
    for lang in LANGUAGES:
        write_evidence(_page(evidence, sheet, len(frames)), folder / f"report.{lang}.html", lang=lang)


def set_aside(evidence: Evidence, review: Path, out: Path) -> Path | None:
    """Give what a person must look at a place beside OUT, with review.json; return it, None where there is nothing.

    Args:
        evidence: Of the run.
        review: Where doubtful files were written; there may be none, as of a file that cannot be read.
        out: Where the others leave.
    """
    listed = [
        {"number": file.number, "kind": file.kind, "reason": file.reason, "name": file.name}
        for file in evidence.of("review")
    ]
    if not listed:
        return None
    review.mkdir(exist_ok=True)
    (review / "review.json").write_text(json.dumps(listed, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    place, number = out.with_name(f"{out.name}-review"), 1
    while place.exists():  # of an earlier run: nothing is written over
        number += 1
        place = out.with_name(f"{out.name}-review-{number}")
    return review.rename(place)


def _sampled(evidence: Evidence, out: Path) -> Iterator[npt.NDArray[Any]]:
    """Yield frames of files drawn by the run's own id: the same ones, whoever draws again."""
    left = [file.name for file in evidence.of("release") if file.kind not in ("nifti", "table")]
    rng = random.Random(evidence.run)  # noqa: S311 (no secret)
    for name in sorted(rng.sample(left, min(_SAMPLE, len(left)))):
        try:
            if not name.endswith(".dcm"):
                yield shown_as(read_raster(out / name))
            elif has_pixels(file := read_file(out / name)):
                yield next(shown(file))
        except (FileError, StopIteration):  # a form that is kept as it is and not shown here, such as video
            continue


def _page(evidence: Evidence, sheet: bytes, count: int) -> EvidencePage:
    told = evidence.to_json()
    site = told["site"]
    limits = ("deid.limit_pixels_match", "deid.limit_words")
    has_faces = evidence.profile.has(FEATURES)
    return EvidencePage(
        run=evidence.run, project=evidence.project, at=evidence.at, edition=f"{EDITION}, E.1-1",
        options=evidence.profile.options, is_proved=evidence.is_proved,
        released=told["files"]["released"], review=told["files"]["review"], left_out=told["files"]["left_out"],
        patients=told["patients"], actions=tuple(evidence.actions.items()), frames=told["pixels"]["frames"],
        blanked=told["pixels"]["files_blanked"], kept=tuple(site["kept"].items()),
        columns=tuple(site["columns"].items()), removed=tuple(site["removed"]), replaced=tuple(site["replaced"]),
        reasons=tuple(evidence.reasons), sheet=sheet, shown=count,
        bounds=tuple(BoundRow(what=one.what, found=one.found, of=one.of, share=one.most) for one in evidence.bounds),
        faces=told["pixels"]["faces_cut"] if has_faces else None,
        limits=("deid.limit_ears" if has_faces else "deid.limit_faces", *limits),
    )  # fmt: skip
