"""Commands of versions of data sets: another split, what changed, names that stay, test sides that are frozen."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from isocenter.cli.door import Outcome, door
from isocenter.cli.options import Json, Store
from isocenter.cli.show import versions as show

VersionName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A data set (its newest version), NAME@PIN, NAME@DIGITS of an id, or an id."),
]


def split(
    name: VersionName,
    *,
    shares: Annotated[
        tuple[float, float, float], typer.Option("--shares", help="Of train, validation and test, over patients.")
    ] = (0.70, 0.15, 0.15),
    folds: Annotated[int, typer.Option("--folds", help="K of the folds over train and validation.")] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Of the drawing.")] = 0,
    by: Annotated[
        str, typer.Option("--by", help="What every side shows evenly: label, or facts, comma between: label,site.")
    ] = "",
    keep_test: Annotated[bool, typer.Option("--keep-test", help="The test side stays as it is.")] = False,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Make a version with another split, by patient; the one that was split stays.

    Patients of a frozen test side stay on the test side, and patients who share an image on one side.

    Example: isocenter split hippocampus --shares 0.8 0.1 0.1 --folds 5 --seed 1 --by label,site
    """
    from isocenter import pipeline

    words = tuple(word for word in by.split(",") if word)
    return pipeline.split(name, shares=shares, folds=folds, seed=seed, by=words, keep_test=keep_test, store=store)


def list_versions(name: VersionName, *, store: Store = None, json: Json = False) -> Outcome:
    """List the versions of a data set, with their sides, pins, and what was learnt from each.

    Example: isocenter version list hippocampus
    """
    from isocenter import pipeline

    return pipeline.list_versions(name, store=store)


def diff_versions(
    first: VersionName,
    second: Annotated[
        str, typer.Argument(metavar="OTHER", help="The other one; without it the newest, or the one before that.")
    ] = "",
    *,
    lang: Annotated[str, typer.Option("--lang", help="Of the words: zh or en.")] = "en",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Say what changed between two versions.

    Cases, images, outlines and by whom, labels and other facts, sides; --json lists every change.

    Example: isocenter version diff hippocampus

    Example: isocenter version diff hippocampus@paper hippocampus --lang zh
    """
    from isocenter import pipeline

    return pipeline.diff_versions(first, second, lang=lang, store=store)


def pin_version(
    name: VersionName,
    word: Annotated[str, typer.Argument(metavar="WORD", help="What stands behind the @, such as paper.")],
    *,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Give a version a name that always means it, NAME@WORD.

    A pin never moves: neither a newer version nor another pin takes its word.

    Example: isocenter version pin hippocampus paper
    """
    from isocenter import pipeline

    return pipeline.pin_version(name, word, store=store)


def freeze_version(
    name: VersionName,
    *,
    purpose: Annotated[str, typer.Option("--purpose", help="Why; it is kept with your account and the time.")],
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Freeze the test side of a version, for good.

    Its patients never train anything again, in any version of any data set of the store. Nobody can thaw it.

    Example: isocenter version freeze hippocampus@paper --purpose "test side of the paper"
    """
    from isocenter import pipeline

    return pipeline.freeze_version(name, purpose=purpose, store=store)


class _EitherOrder(TyperGroup):
    """Takes the data set before the verb too: `version NAME diff` is `version diff NAME`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # the type of a context is typer's own affair
        if len(args) > 1 and args[0] not in self.commands and args[1] in self.commands:
            args = [args[1], args[0], *args[2:]]
        return super().parse_args(ctx, args)


version_app = typer.Typer(
    cls=_EitherOrder, help="Versions of a data set: list, diff, pin, freeze.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip
for _name, _command, _show in (
    ("list", list_versions, show.version),
    ("diff", diff_versions, show.diff_versions),
    ("pin", pin_version, show.version),
    ("freeze", freeze_version, show.version),
):
    version_app.command(_name)(door(_command, _show))
