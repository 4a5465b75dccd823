"""The command that lays one volume on another, and what a person reads of it."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.door import Outcome
from isocenter.cli.options import Accept, Json, Store
from isocenter.cli.progress import watching
from isocenter.cli.show import Document, say, table

_MEANS = {
    "overlap": "share of the fixed body that the moving volume covers",
    "likeness": "what the volumes tell of each other, 0 to 1",
    "rival": "likeness at the best other place, by that here",
    "backward_mm": "the way back, found by itself, ends so far beside",
    "halves_mm": "two halves of the places lead so far apart",
    "parts_mm": "an eighth of the body alone would shift so far",
    "mirror": "likeness of the best mirror image, by that here",
    "stretch": "the largest change of a length, as a factor",
    "jacobian": "the smallest change of volume by the bend",
    "inverse_mm": "the inverse of the bend misses by at most",
}


def register(
    fixed: Annotated[Path, typer.Argument(help="NIfTI, or a DICOM series (folder, file, zip): it stays.")],
    moving: Annotated[Path, typer.Argument(help="The same, of any modality: it is moved.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="A new folder for the moved volume, transform and report.")],
    kind: Annotated[str, typer.Option("--kind", help="rigid, affine or deformable.")] = "rigid",
    accept: Accept = None,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Lay one volume on another, or say that it failed.

    A gate measures what can be told without knowing the truth. A registration that it refuses leaves its report
    alone, no volume and no transform, and the exit code is 5.

    Example: isocenter register planning-ct/ t1.nii.gz --out laid/
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.register(
            fixed, moving, out=out, kind=kind, accept=tuple(accept or ()), store=store, progress=watch
        )


def show_registered(document: Document) -> None:
    """List what the gate measured, and say whether the registration may be used."""
    rows = [
        ("" if one["held"] else "failed", one["name"], f"{one['value']:.4g}", f"at {one['side']} {one['limit']:g}",
         _MEANS[one["name"]])
        for one in document["figures"]
    ]  # fmt: skip
    table(("", "figure", "found", "limit", "means"), rows)
    if document["held"]:
        say(f"{document['out']}: {', '.join(document['files'])}, in {document['seconds']:.0f} s.")
    else:
        say(f"Refused by {', '.join(document['failed'])}; {document['out']} holds the report alone.")
