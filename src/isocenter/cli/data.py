"""Commands of images and data sets on their way in."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.door import Outcome
from isocenter.cli.options import Accept, AcceptCases, Columns, Json, Settings, Store
from isocenter.cli.progress import watching


def scan(folder: Annotated[Path, typer.Argument(help="A folder, file or zip.")], *, json: Json = False) -> Outcome:
    """Find DICOM series and say which make one volume.

    Each series is named with a verdict and its figures in mm; one bad file never stops the rest.

    Example: isocenter scan /data/export
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.scan(folder, progress=watch)


def convert(
    input: Annotated[Path, typer.Argument(help="DICOM (folder, file, zip), NIfTI, or PNG, JPEG, TIFF.")],  # noqa: A002 - its name on every door
    out: Annotated[Path, typer.Argument(help="A file ending in .nii.gz or .nii, or a folder for DICOM.")],
    *,
    accept: Accept = None,
    series: Annotated[int | None, typer.Option("--series", help="Which series, as numbered by `scan`.")] = None,
    modality: Annotated[str | None, typer.Option("--modality", help="CT or MR, for DICOM from NIfTI.")] = None,
    json: Json = False,
) -> Outcome:
    """Turn a DICOM series into NIfTI, or NIfTI into DICOM.

    Example: isocenter convert study/ t1.nii.gz

    Example: isocenter convert t1.nii.gz t1-dicom/ --modality MR
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.convert(
            input, out, accept=tuple(accept or ()), series=series, modality=modality, progress=watch
        )


def ingest(
    folder: Annotated[
        Path, typer.Argument(help="A folder of DICOM or pictures, or in the MSD, nnU-Net or BIDS layout.")
    ],
    *,
    dataset: Annotated[str, typer.Option("--dataset", help="What to call the data set.")],
    as_: Annotated[str | None, typer.Option("--as", help="Its layout: msd, nnunet, bids, pictures, dicom.")] = None,
    accept: AcceptCases = None,
    columns: Columns = None,
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Leave bad cases out, refuse nothing.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the split.")] = 0,
    source: Annotated[str, typer.Option("--source", help="Where it comes from, as in `source list`.")] = "",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Take a folder into the store as a version of a data set.

    It is split 70/15/15 by patient, with five folds, stratified.

    A folder with bad cases is refused whole, with every problem named; --leave-out takes the rest.

    Example: isocenter ingest Task04_Hippocampus --dataset hippocampus

    Example: isocenter ingest ultrasound --dataset breast --columns patient=subject_id,label=finding
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.ingest(
            folder, dataset=dataset, as_=as_, accept=tuple(accept or ()), columns=tuple(columns or ()),
            leave_out=leave_out, seed=seed, source=source, store=store, progress=watch,
        )  # fmt: skip


def check(
    name: Annotated[str, typer.Argument(help="Name or id of a data set, or a folder that is not taken in yet.")],
    *,
    as_: Annotated[str | None, typer.Option("--as", help="Of a folder, its layout.")] = None,
    accept: AcceptCases = None,
    columns: Columns = None,
    recipe: Annotated[Path | None, typer.Option("--recipe", help="A recipe whose [quality] says the limits.")] = None,
    set_: Settings = None,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Look for what would spoil a data set.

    Pairing, grids, labels, images and outlines unlike the others, one image under two patients or labels, shortcuts.

    Example: isocenter check hippocampus

    Example: isocenter check breast --set "quality.stop=near duplicates"
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.check(
            name, as_=as_, accept=tuple(accept or ()), columns=tuple(columns or ()), recipe=recipe,
            set_=tuple(set_ or ()), store=store, progress=watch,
        )  # fmt: skip


def cohort(
    name: Annotated[str, typer.Argument(help="Name or id of a data set.")],
    *,
    out: Annotated[Path | None, typer.Option("--out", help="An HTML file to write, with pictures.")] = None,
    population: Annotated[
        Path | None, typer.Option("--population", help="A TOML file: source, and shares of each fact.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Of that file: zh or en.")] = "en",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Say who is in a data set, and what is wrong with it.

    Every fact by patient, by side and by class, with intervals; beside a population that it is to stand for.

    Example: isocenter cohort chests --population adults.toml --out cohort.html
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.cohort(name, out=out, population=population, lang=lang, store=store, progress=watch)


def prepare(
    name: Annotated[str, typer.Argument(help="Name or id of a data set.")],
    recipe: Annotated[Path | None, typer.Argument(help="A recipe in TOML; its [restoration] is obeyed.")] = None,
    *,
    dataset: Annotated[str, typer.Option("--dataset", help="What to call it. Default: NAME-prepared.")] = "",
    set_: Settings = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="An HTML file to write, with pictures before and after.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Of that file: zh or en.")] = "en",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Restore a data set's images by a recipe's steps, as a new version; the old one stays as it is.

    A model trained on it carries the steps, and takes them at reading.

    Example: isocenter prepare hippocampus recipe.toml --dataset hippocampus-n4

    Example: isocenter prepare hippocampus recipe.toml --page before-and-after.html

    Example: isocenter prepare hippocampus --set 'restoration.steps=["n4", "nyul"]'
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.prepare(
            name, recipe, dataset=dataset, set_=tuple(set_ or ()), page=page, lang=lang, store=store, progress=watch
        )


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


def export_dataset(
    name: Annotated[str, typer.Argument(help="Name or id of a data set.")],
    out: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    *,
    as_: Annotated[str, typer.Option("--as", help="nnunet, bids or pictures.")],
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Write a data set as a folder that others read.

    With manifest.json (every file's sha256), TERMS.md and the receipts behind it; `verify` walks them.

    Example: isocenter datasets export hippocampus Dataset004_Hippocampus --as nnunet
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.export_dataset(name, out, as_=as_, store=store, progress=watch)
