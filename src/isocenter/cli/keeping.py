"""Commands of the store, of its receipts, and of this machine."""

from typing import Annotated

import typer

from isocenter.cli.door import Outcome, door
from isocenter.cli.options import Json, Store
from isocenter.cli.show import keeping as show


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


def shelf(kind: str) -> typer.Typer:
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
    return shelf


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
