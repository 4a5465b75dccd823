"""Names to things: a room's hand-written table first, then what other packages offer as entry points."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points

from isocenter.errors import MissingExtraError, NotFoundError


def find(name: str, *, table: Mapping[str, str], group: str) -> object:
    """Return the thing that a table, or an installed package's entry point, offers under a name.

    Args:
        name: As written in a recipe.
        table: Name to "module:attribute", the room's own.
        group: Entry-point group searched after the table, such as "isocenter.networks".

    Raises:
        NotFoundError: Nobody offers that name; the message lists close ones.
        MissingExtraError: It is known, but a package that it needs is not installed.
    """
    target = table.get(name)
    if target is None:
        offered = {point.name: point.value for point in entry_points(group=group)}
        target = offered.get(name)
        if target is None:
            known = sorted({*table, *offered})
            raise NotFoundError(f"No {group.rpartition('.')[2]} called {name!r}. {did_you_mean(name, known)}")
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{name!r} needs the package {error.name!r}, which is not installed. "
            "`isocenter doctor` says which extra brings it."
        ) from error


def did_you_mean(name: str, known: list[str]) -> str:
    """Return a sentence that offers the known names nearest to a name, or lists them all."""
    near = get_close_matches(name, known, n=2, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(repr(n) for n in near)}?"
    return f"Known: {', '.join(known)}."
