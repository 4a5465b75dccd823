"""Every command: its words, its help with an example, and the step that it calls."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli import show, show_hospital
from isocenter.cli.door import Outcome, door
from isocenter.cli.hospital import fetch
from isocenter.cli.options import Accept, AcceptCases, Columns, DataName, Device, Json, RecipePath, Settings, Store
from isocenter.cli.privacy import deid, vault_app
from isocenter.cli.progress import drawing, watching
from isocenter.cli.sources import publish, source_app

EXIT_CODES = (
    "Exit codes: 0 done · 2 wrong words · 3 input that cannot be used · 4 not found · 5 a check does not hold · "
    "6 the store cannot be used · 7 a plan or run that cannot be · 8 an extra is missing · "
    "9 another machine refuses · 130 stopped by Ctrl-C."
)

app = typer.Typer(
    name="isocenter",
    help="From a folder of images to a model, a prediction and a report, each with a receipt that can be verified.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def init(
    store: Store = None,
    *,
    require_source: Annotated[
        bool | None, typer.Option("--require-source/--any-source", help="Take nothing in without a known source.")
    ] = None,
    json: Json = False,
) -> Outcome:
    """Make a store for data sets, models, runs and receipts, or settle what it takes in.

    Example: isocenter init --store /data/isocenter-store --require-source
    """
    from isocenter import pipeline

    return pipeline.init(store, require_source=require_source)


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
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Look for what would spoil a data set.

    Pairing, grids, label values, empties, one patient or one image on two sides of the split.

    Example: isocenter check hippocampus
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.check(
            name, as_=as_, accept=tuple(accept or ()), columns=tuple(columns or ()), store=store, progress=watch
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


def plan(
    recipe: RecipePath = None,
    *,
    data: DataName,
    set_: Settings = None,
    device: Device = "cpu",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Decide what a recipe leaves open, and say why.

    From the data and this machine, each value with its reason.

    Example: isocenter plan recipe.toml --data hippocampus --set training.minutes=20
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.plan(recipe, data=data, set_=tuple(set_ or ()), device=device, store=store, progress=watch)


def train(
    recipe: RecipePath = None,
    *,
    data: DataName,
    set_: Settings = None,
    device: Device = "cpu",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Train a model by a recipe.

    A run that was stopped goes on where it was; a finished one is handed back.

    Example: isocenter train recipe.toml --data hippocampus --set training.minutes=5
    """
    from isocenter import pipeline

    with drawing(is_plain=json) as (watch, draw):
        return pipeline.train(
            recipe, data=data, set_=tuple(set_ or ()), device=device, store=store, progress=watch, curves=draw
        )


def evaluate(
    model: Annotated[str, typer.Argument(help="Id of a model, the first digits of it, or 'latest'.")],
    *,
    data: DataName,
    device: Device = "cpu",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Score a model on cases that it has not seen.

    Those are the test side of the version it learnt from, and all cases of any other data set.

    Example: isocenter evaluate latest --data hippocampus
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.evaluate(model, data=data, device=device, store=store, progress=watch)


def predict(
    model: Annotated[str, typer.Argument(help="Id of a model, the first digits of it, 'latest', or its folder.")],
    input: Annotated[Path, typer.Argument(help="DICOM (folder, file, zip), NIfTI, or PNG, JPEG, TIFF.")],  # noqa: A002 - its name on every door
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for prediction.json, mask.nii.gz, mask.seg.dcm.")],
    accept: Accept = None,
    series: Annotated[int | None, typer.Option("--series", help="Which series, as numbered by `scan`.")] = None,
    device: Device = "cpu",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Read one study with a model.

    From DICOM it also writes a SEG, proved by decoding it again before it gets its name.

    Example: isocenter predict latest study/ --out result/
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.predict(
            model, input, out=out, accept=tuple(accept or ()), series=series, device=device, store=store,
            progress=watch,
        )  # fmt: skip


def bench(
    model: Annotated[str, typer.Argument(help="Id of a model, the first digits of it, 'latest', or its folder.")],
    *,
    input: Annotated[  # noqa: A002 - its name on every door
        Path | None, typer.Option("--input", help="What predict reads. Default: a made-up image of the model's kind.")
    ] = None,
    runtimes: Annotated[
        list[str] | None,
        typer.Option("--runtime", help="auto, torch, torch-bf16 or openvino; several times. Default: all there are."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", help="Readings after the first one.")] = 5,
    device: Device = "cpu",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Say how long a model takes to read on this machine.

    Stage by stage, cold and warm, in each way that it can be run; what predict does comes first.

    Example: isocenter bench latest --input study/
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.bench(
            model, input, runtimes=tuple(runtimes or ()), rounds=rounds, device=device, store=store, progress=watch
        )


def report(
    prediction: Annotated[Path, typer.Argument(help="The folder that predict wrote.")],
    *,
    formats: Annotated[str, typer.Option("--formats", help="html, pdf, or both: html,pdf")] = "html",
    lang: Annotated[str, typer.Option("--lang", help="zh, en, or both: zh,en")] = "en",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Write the report of a prediction, one file a format and language.

    PDF needs the extra "report".

    Example: isocenter report result/ --formats html,pdf --lang zh,en
    """
    from isocenter import pipeline

    return pipeline.report(prediction, formats=tuple(formats.split(",")), lang=tuple(lang.split(",")), store=store)


def diff_runs(
    first: Annotated[str, typer.Argument(help="Id of a run, the first digits of it, or 'latest'.")],
    second: Annotated[str, typer.Argument(help="The other run.")],
    *,
    out: Annotated[Path | None, typer.Option("--out", help="An HTML file to write, with the curves of both.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="Of that file: zh or en.")] = "en",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Set two runs side by side.

    What was asked and decided otherwise, and the scores of both with their intervals.

    Example: isocenter runs diff 3f2a latest --out diff.html
    """
    from isocenter import pipeline

    return pipeline.diff_runs(first, second, out=out, lang=lang, store=store)


def verify(
    thing: Annotated[str, typer.Argument(help="A prediction's folder, a report, or a model, run or data set by name.")],
    *,
    key: Annotated[str, typer.Option("--key", help="Fingerprint of the key that must have signed.")] = "",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Walk a thing's receipts back to its sources.

    At the first link that does not hold it says which one and why.

    Example: isocenter verify result/
    """
    from isocenter import pipeline

    return pipeline.verify(thing, key=key, store=store)


def info(*, json: Json = False) -> Outcome:
    """Say what this isocenter can do.

    Example: isocenter info --json
    """
    from isocenter import pipeline

    return pipeline.info()


def doctor(*, json: Json = False) -> Outcome:
    """Say what is missing for what on this machine.

    Example: isocenter doctor
    """
    from isocenter import pipeline

    return pipeline.doctor()


def _shelf(kind: str) -> typer.Typer:
    """Return the commands list, show and remove of one kind of kept thing."""
    shelf = typer.Typer(help=f"The store's {kind}: list, show, remove.", no_args_is_help=True, rich_markup_mode=None)
    thing = Annotated[str, typer.Argument(help="Name or id, or the first digits of it.")]

    def list_(*, store: Store = None, json: Json = False) -> Outcome:
        from isocenter import pipeline

        return pipeline.list_kept(kind, store=store)

    def show_(name: thing, *, store: Store = None, json: Json = False) -> Outcome:
        from isocenter import pipeline

        return pipeline.show_kept(kind, name, store=store)

    def remove(name: thing, *, store: Store = None, json: Json = False) -> Outcome:
        from isocenter import pipeline

        return pipeline.remove_kept(kind, name, store=store)

    for command, word, text in (
        (list_, "list", f"List the store's {kind}."),
        (show_, "show", f"Show one of the store's {kind}."),
        (remove, "remove", f"Remove one of the store's {kind}; its receipts stay."),
    ):
        example = f"Example: isocenter {kind} {word}" + ("" if word == "list" else " NAME")
        shelf.command(word, help=f"{text}\n\n{example}")(door(command, show.kept))
    if kind == "datasets":
        shelf.command("export")(door(export_dataset, show.export_dataset))
    if kind == "runs":
        shelf.command("diff")(door(diff_runs, show.diff_runs))
    return shelf


app.command("fetch")(door(fetch, show_hospital.fetch))
for _step in (
    init,
    scan,
    convert,
    deid,
    ingest,
    check,
    publish,
    plan,
    train,
    evaluate,
    predict,
    bench,
    report,
    verify,
    info,
    doctor,
):
    app.command(_step.__name__)(door(_step, getattr(show, _step.__name__)))
for _kind in ("runs", "models", "datasets"):
    app.add_typer(_shelf(_kind), name=_kind)
app.add_typer(vault_app, name="vault")
app.add_typer(source_app, name="source")
