"""The command that describes a cohort."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.door import Outcome
from isocenter.cli.options import Json, Store
from isocenter.cli.progress import watching


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
