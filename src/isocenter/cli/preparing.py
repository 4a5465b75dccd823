"""The command that restores a data set's images, and what it shows."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from isocenter.cli.door import Outcome
from isocenter.cli.options import Json, Settings, Store
from isocenter.cli.progress import watching

_MANY = 12  # cases named; more are counted


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


def show_prepared(document: dict[str, Any]) -> None:
    """Show what each step changed (the middle case, and between which it lies), and where the restored images are."""
    for one in document["changed"]:
        figures = "; ".join(f"{name} {_span(*span)}" for name, span in one["figures"].items())
        _say(f"{one['role']}: {one['step']}  {figures}")
    for case in document["lost"][:_MANY]:
        _say(f"{case}: a structure lies outside of what a step has kept, and is gone from its outline.")
    if len(document["lost"]) > _MANY:
        _say(f"and {len(document['lost']) - _MANY} more; --json lists all.")
    _say(
        f"Data set {document['name']}: {document['cases']} cases, restored in {document['seconds']:.0f} s. "
        f"Version {document['dataset'][:12]}, made from {document['origin'][:12]}, which stays as it was."
    )
    if document["page"]:
        _say(f"Pictures before and after: {document['page']}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _span(low: float, middle: float, high: float) -> str:
    return f"{middle:.4g}" if low == high else f"{middle:.4g} [{low:.4g}, {high:.4g}]"
