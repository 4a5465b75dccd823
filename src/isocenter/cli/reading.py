"""Commands that read images, report on them, and say how fast that is."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.door import Outcome
from isocenter.cli.options import Accept, Device, Json, Store
from isocenter.cli.progress import watching


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
