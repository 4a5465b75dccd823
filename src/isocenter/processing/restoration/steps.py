"""The steps by name, and whether parameters are what a step takes."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from isocenter.errors import ProofError, RecipeError
from isocenter.plugins import did_you_mean, find
from isocenter.processing.restoration.restored import Restored

STEPS = {
    "median": "isocenter.processing.restoration.denoise:median",
    "curvature": "isocenter.processing.restoration.denoise:curvature",
    "nlm": "isocenter.processing.restoration.similar:nlm",
    "tv": "isocenter.processing.restoration.similar:tv",
    "n4": "isocenter.processing.restoration.bias:n4",
    "clahe": "isocenter.processing.restoration.contrast:clahe",
    "match": "isocenter.processing.restoration.cohort:match",
    "nyul": "isocenter.processing.restoration.cohort:nyul",
    "unit": "isocenter.processing.restoration.intensity:unit",
    "symmetric": "isocenter.processing.restoration.intensity:symmetric",
    "window": "isocenter.processing.restoration.intensity:window",
    "percentiles": "isocenter.processing.restoration.intensity:percentiles",
    "zscore": "isocenter.processing.restoration.intensity:zscore",
    "mask_body": "isocenter.processing.restoration.body:mask_body",
    "crop_body": "isocenter.processing.restoration.grid:crop_body",
    "crop_centre": "isocenter.processing.restoration.grid:crop_centre",
    "resample": "isocenter.processing.restoration.grid:resample",
}
FITS = {
    "match": "isocenter.processing.restoration.cohort:fit_match",
    "nyul": "isocenter.processing.restoration.cohort:fit_nyul",
}
_GROUP, _FITS_GROUP = "isocenter.restoration", "isocenter.restoration_fits"


def find_step(name: str) -> Callable[..., Restored]:
    """Return the function `step(volume, *, ...) -> Restored` of a name.

    Raises:
        NotFoundError: Nobody offers a step of that name.
        MissingExtraError: It needs a package that is not installed.
        ProofError: What is offered is no function.
    """
    step: Callable[..., Restored] = _function(name, table=STEPS, group=_GROUP)
    return step


def find_fit(name: str) -> Callable[..., Mapping[str, object]]:
    """Return the function `fit(volumes, *, ...) -> parameters` of a step that learns from a cohort.

    Raises:
        NotFoundError: The step learns nothing, or nobody offers it.
        MissingExtraError: It needs a package that is not installed.
        ProofError: What is offered is no function.
    """
    fit: Callable[..., Mapping[str, object]] = _function(name, table=FITS, group=_FITS_GROUP)
    return fit


def complete(name: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return a step's parameters with its defaults filled in, so that another default tomorrow changes no model.

    What is not stated and has no default is left out; see `lacking`.

    Raises:
        RecipeError: A parameter that the step does not take, or a value of another kind than it takes.
        NotFoundError, MissingExtraError, ProofError: See find_step.
    """
    step = find_step(name)
    taken, kinds = _taken(step), get_type_hints(step)
    for key, value in parameters.items():
        if key not in taken:
            raise RecipeError(f"The step {name!r} takes no {key!r}. {did_you_mean(key, sorted(taken))}")
        if value is None and taken[key].default is not None:
            raise RecipeError(
                f"The step {name!r} cannot take nothing as {key}; leave it out for {taken[key].default!r}."
            )
        if not _is_of(value, kinds.get(key, object)):
            raise RecipeError(f"The step {name!r} cannot take {key} = {value!r}; it takes {_words(kinds[key])}.")
    defaults = {key: one.default for key, one in taken.items() if one.default is not inspect.Parameter.empty}
    return {key: _plain(value) for key, value in (defaults | dict(parameters)).items()}


def lacking(name: str, parameters: Mapping[str, object]) -> list[str]:
    """Return the parameters that a step must have and has not.

    Raises:
        NotFoundError, MissingExtraError, ProofError: See find_step.
    """
    taken = _taken(find_step(name))
    return [key for key, one in taken.items() if one.default is inspect.Parameter.empty and key not in parameters]


def _function(name: str, *, table: Mapping[str, str], group: str) -> Callable[..., Any]:
    found = find(name, table=table, group=group)
    if not callable(found):
        raise ProofError(f"What is offered as {name!r} in {group} is no function.")
    return found


def _taken(step: Callable[..., object]) -> dict[str, inspect.Parameter]:
    signature = inspect.signature(step).parameters
    return {key: one for key, one in signature.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}


def _is_of(value: object, kind: object) -> bool:
    """Return whether a plain value is of an annotation; one that no recipe could hold is not looked at."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value in inner
    if origin in (Union, UnionType):
        return any(_is_of(value, one) for one in inner)
    if origin is Sequence:
        return isinstance(value, list | tuple) and all(_is_of(one, inner[0]) for one in value)
    if kind is NoneType or isinstance(value, bool):
        return value is None if kind is NoneType else kind in (bool, object)
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return not isinstance(kind, type) or isinstance(value, kind)


def _words(kind: object) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(repr(one) for one in get_args(kind))
    if get_origin(kind) is Sequence:
        return "a list of numbers"
    return " or ".join("nothing" if one is NoneType else getattr(one, "__name__", str(one))
                       for one in get_args(kind) or (kind,))  # fmt: skip


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
