"""One volume is laid on another; what cannot be believed is refused, with the figure that says so."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocenter.errors import RecipeError
from isocenter.image import Volume, write_nifti
from isocenter.intake.opening import Opened, open_input
from isocenter.pipeline.exporting import require_new
from isocenter.pipeline.ground import Place, Watch, opened, seal, told
from isocenter.pipeline.predictions import whole_folder
from isocenter.pipeline.public import document
from isocenter.plugins import did_you_mean
from isocenter.processing.registration import KINDS, Registration, lay, write_itk
from isocenter.processing.registration import register as lay_on
from isocenter.result import Check, Item
from isocenter.store import Store
from isocenter.store.evidence import sha256_of

REPORT, MOVED, TRANSFORM = "registration.json", "moved.nii.gz", "transform.json"
ITK, ITK_BENT = "transform.tfm", "transform.h5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Two volumes, and whether one lies on the other.

    Args:
        out: The folder that was written.
        files: What it holds beside receipts; of a refused registration the report alone.
    """

    out: Path
    registration: Registration
    files: tuple[str, ...]
    receipt: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `register`."""
        return document(
            "register",
            out=str(self.out),
            files=list(self.files),
            receipt=self.receipt,
            seconds=self.seconds,
            **judged_document(self.registration),
        )


def register(
    fixed: Path,
    moving: Path,
    *,
    out: Path,
    kind: str = "rigid",
    accept: tuple[str, ...] = (),
    store: Place = None,
    progress: Watch | None = None,
) -> Registered:
    """Lay a moving volume on a fixed one; write it, the transform, and what says whether that can be believed.

    A registration that the gate refuses leaves its report alone: no volume and no transform that somebody could use.

    Args:
        fixed: A NIfTI file, or a DICOM series as folder, file or zip, of which the grid is taken.
        moving: The same, of any modality: what is moved.
        out: A folder that is not there yet; it appears whole or not at all.
        kind: "rigid", "affine" or "deformable".
        accept: Words that take a DICOM series in spite of its verdict.
        store: Whose key signs the receipt.
        progress: Told how far it is.

    Raises:
        FileError, SeriesError: Nothing there that can be read, or `out` exists.
        InputError: A volume that cannot be registered: in colour, constant, too thin, or without a body.
        RecipeError: There is no such kind.
        StoreError: The store cannot be used.
    """
    began, out = time.monotonic(), require_new(Path(out))
    if kind not in KINDS:
        raise RecipeError(f"There is no registration {kind!r}. {did_you_mean(kind, list(KINDS))}")
    both = [open_input(Path(one), accept=accept, progress=told(progress, "scan")) for one in (fixed, moving)]
    there, here = (next(iter(one.volumes.values())) for one in both)
    found = lay_on(there, here, kind=kind, progress=told(progress, "register"))
    with opened(store, create_new=True) as house, whole_folder(out) as aside:
        if found.held:
            _write(found, aside, fixed=there, moving=here)
        _write_json(aside / REPORT, judged_document(found))
        names = tuple(sorted(path.name for path in aside.iterdir()))
        receipt = seal(
            house, "register", inputs=(*_sources(house, both[0], "fixed"), *_sources(house, both[1], "moving")),
            outputs=tuple(Item(name=f"file:{name}", digest=sha256_of(aside / name)) for name in names),
            checks=tuple(_checks(found)), facts={"kind": kind, "accept": list(accept)},
        )  # fmt: skip
        house.receipts.export(receipt, aside)
    return Registered(
        out=out, registration=found, files=names, receipt=receipt, seconds=time.monotonic() - began
    )  # fmt: skip


def judged_document(found: Registration) -> dict[str, Any]:
    """Return what the gate measured in its public form; `failed` names what did not keep its limit."""
    return {
        "kind": found.kind,
        "held": found.held,
        "failed": [figure.name for figure in found.failed],
        "figures": [
            {
                "name": figure.name,
                "value": round(figure.value, 4),
                "limit": figure.limit,
                "side": "least" if figure.is_least else "most",
                "held": figure.held,
            }
            for figure in found.figures
        ],
    }


def _write(found: Registration, folder: Path, *, fixed: Volume, moving: Volume) -> None:
    """Write the moved volume, and the transform in our own form and in ITK's."""
    write_nifti(replace(lay(moving, fixed, found.transform), has_size=True), folder / MOVED)
    bends = [
        {"origin_mm": bend.origin.tolist(), "step_mm": bend.step_mm, "controls_mm": bend.controls.tolist()}
        for bend in found.transform.bends
    ]
    said = {"from": "LPS mm of the fixed volume", "to": "LPS mm of the moving volume"}
    _write_json(folder / TRANSFORM, {**said, "matrix": found.transform.matrix.tolist(), "bends": bends})
    write_itk(found.transform, folder / (ITK_BENT if bends else ITK), fixed=fixed)


def _write_json(path: Path, said: dict[str, Any]) -> None:
    path.write_text(json.dumps(said, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _checks(found: Registration) -> Iterator[Check]:
    for figure in found.figures:
        side = "least" if figure.is_least else "most"
        yield Check(
            name=figure.name, held=figure.held, figure=f"{figure.value:.4g}", limit=f"at {side} {figure.limit:g}"
        )


def _sources(house: Store, found: Opened, which: str) -> Iterator[Item]:
    """Yield the files that were read, by keyed pseudonyms: the receipt bears no identity."""
    for path, digest in found.files.items():
        yield Item(name=f"{which}:{house.keys.pseudonym(ascii(path.name))}", digest=digest)
