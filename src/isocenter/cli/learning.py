"""Commands that plan, learn and score."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.door import Outcome
from isocenter.cli.options import DataName, Device, Json, RecipePath, Settings, Store
from isocenter.cli.progress import drawing, watching


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
    side: Annotated[str, typer.Option("--side", help="test or all; by default as said above.")] = "",
    device: Device = "cpu",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Score a model on cases that it has not seen.

    Those are the test side of the version it learnt from, and all cases of any other data set; --side test takes the
    test side of any version, such as one that was frozen.

    Example: isocenter evaluate latest --data hippocampus

    Example: isocenter evaluate latest --data hippocampus@paper --side test
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.evaluate(model, data=data, side=side, device=device, store=store, progress=watch)


def amount(
    name: Annotated[str, typer.Argument(help="Name, pin or id of a data set.")],
    recipe: RecipePath = None,
    *,
    patients: Annotated[
        list[int] | None,
        typer.Option("--patients", help="Learn from so many; three numbers at least. Default: quarters."),
    ] = None,
    more: Annotated[
        list[int] | None, typer.Option("--more", help="What so many further are worth. Default: 20, 40.")
    ] = None,
    folds: Annotated[list[int] | None, typer.Option("--folds", help="Folds that are scored. Default: 0.")] = None,
    set_: Settings = None,
    device: Device = "cpu",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Say whether there are enough patients: what more would be worth, with an interval.

    The recipe learns from several numbers of patients; state its budget in steps, so that all learn alike. Runs that
    are there already are not run again.

    Example: isocenter amount livers recipe.toml --set training.steps=2000 --more 40
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.amount(
            name, recipe, patients=tuple(patients or ()), more=tuple(more or ()), folds=tuple(folds or ()),
            set_=tuple(set_ or ()), device=device, store=store, progress=watch,
        )  # fmt: skip


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
