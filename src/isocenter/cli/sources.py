"""Commands of the register of sources, and of publishing, which stands on it."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.door import Outcome, door
from isocenter.cli.options import Json, Store
from isocenter.cli.progress import watching
from isocenter.cli.show import privacy as show

SourceId = Annotated[str, typer.Argument(metavar="ID", help="A word for the source, such as ward-3-2026.")]


def add_source(
    source: SourceId,
    *,
    name: Annotated[str | None, typer.Option("--name", help="Of the collection.")] = None,
    origin: Annotated[str | None, typer.Option("--origin", help="Who gave it, and where it is described.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="SPDX identifier, or the words of it.")] = None,
    basis: Annotated[str | None, typer.Option("--basis", help="Legal basis, or consent and its form.")] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", help="Uses: training,evaluation,sharing, comma between. Default: all.")
    ] = None,
    expires: Annotated[str | None, typer.Option("--expires", help="Last day of use, such as 2028-12-31.")] = None,
    withdrawn: Annotated[str | None, typer.Option("--withdrawn", help="Day on which it was withdrawn.")] = None,
    terms: Annotated[str | None, typer.Option("--terms", help="What users must do or leave.")] = None,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Note where cases come from and on what ground, or what has changed about it.

    What is not named stays as it was stated before; earlier statements are kept.

    Example: isocenter source add ward-3-2026 --basis "broad consent, form 3" --expires 2028-12-31

    Example: isocenter source add ward-3-2026 --withdrawn 2026-11-02
    """
    from isocenter import pipeline

    uses = None if scope is None else tuple(word for word in scope.split(",") if word)
    return pipeline.add_source(
        source, name=name, origin=origin, licence=licence, basis=basis, scope=uses, expires=expires,
        withdrawn=withdrawn, terms=terms, store=store,
    )  # fmt: skip


def list_sources(*, store: Store = None, json: Json = False) -> Outcome:
    """List the sources, and what each grants today.

    Example: isocenter source list
    """
    from isocenter import pipeline

    return pipeline.list_sources(store=store)


def show_source(source: SourceId, *, store: Store = None, json: Json = False) -> Outcome:
    """Show a source: what it grants, what was stated before, which data sets and models hold its cases.

    Example: isocenter source show ward-3-2026
    """
    from isocenter import pipeline

    return pipeline.show_source(source, store=store)


def publish(
    name: Annotated[str, typer.Argument(help="Name or id of a data set.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder that is not there yet.")],
    *,
    as_: Annotated[str, typer.Option("--as", help="dicom, nnunet, bids or pictures.")],
    release: Annotated[
        Path | None, typer.Option("--from", help="For dicom: the folder that the data set was taken from.")
    ] = None,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Write a data set for strangers, with its terms, evidence and manifest, signed.

    Refused where a file behind it was not proved by `deid --prove`, or a case has no source that grants sharing.

    Example: isocenter publish chests chests-2026 --as dicom --from release/
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.publish(name, out, as_=as_, release=release, store=store, progress=watch)


source_app = typer.Typer(
    help="Where cases come from, and on what ground they are used: add, list, show.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip
for _name, _command in (("add", add_source), ("list", list_sources), ("show", show_source)):
    source_app.command(_name)(door(_command, show.source))
