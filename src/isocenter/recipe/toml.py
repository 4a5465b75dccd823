"""A recipe as TOML, and as `--set section.key=value`."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from isocenter.errors import FileError, RecipeError
from isocenter.plugins import did_you_mean
from isocenter.recipe.recipe import Recipe

_BUDGETS = ("minutes", "epochs", "steps")


def read_recipe(path: Path | None, *, settings: Iterable[str] = (), onto: Recipe | None = None) -> Recipe:
    """Return the recipe in a TOML file, changed by settings of the form "training.epochs=50".

    Args:
        path: None starts from `onto`, or from an empty recipe, in which everything is left to the plan.
        onto: A recipe to change, where there is no file.
        settings: Values are read as TOML; what is not TOML is taken as text. Of the budgets (minutes, epochs,
            steps) the one set last replaces the others.

    Raises:
        FileError: No such file.
        RecipeError: Not TOML, an unknown section or key, or a value that cannot be.
    """
    document = (onto.to_document() if onto else {}) if path is None else _document(path)
    for setting in settings:
        _apply(document, setting)
    return recipe_from(document)


def recipe_from(document: Mapping[str, Any]) -> Recipe:
    """Return the recipe that nested plain values describe.

    Raises:
        RecipeError: An unknown section or key ("did you mean …?"), or a value of another type.
    """
    sections = {field.name: field.default_factory for field in fields(Recipe)}
    made: dict[str, Any] = {}
    for name, values in document.items():
        section = sections.get(name)
        if section is None:
            raise RecipeError(f"The recipe has no section [{name}]. {did_you_mean(name, list(sections))}")
        if not isinstance(values, Mapping):
            raise RecipeError(f"[{name}] is a section of a recipe; {values!r} is no table.")
        hints = get_type_hints(section)
        for key in values:
            if key not in hints:
                raise RecipeError(f"[{name}] has no key {key!r}. {did_you_mean(key, list(hints))}")
        typed = {key: _typed(f"{name}.{key}", value, hints[key]) for key, value in values.items()}
        made[name] = section(**typed)  # type: ignore[operator]
    return Recipe(**made)


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path.name} is not TOML: {error}.") from error


def _apply(document: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and section and name):
        raise RecipeError(f"{setting!r} is not of the form section.key=value, such as training.epochs=50.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    values = document.setdefault(section, {})
    if not isinstance(values, dict):
        raise RecipeError(f"[{section}] is a section of a recipe; {values!r} is no table.")
    if section == "training" and name in _BUDGETS:
        for other in _BUDGETS:
            values.pop(other, None)
    values[name] = value


def _typed(key: str, value: Any, hint: Any) -> Any:
    """Return the value in the type that the key has.

    Raises:
        RecipeError: It cannot be.
    """
    if NoneType in get_args(hint):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    origin = get_origin(hint)
    if origin is Mapping:
        return _table(key, value)
    if origin is Literal:
        if value in get_args(hint):
            return value
        known = [str(choice) for choice in get_args(hint)]
        raise RecipeError(f"{key} = {value!r} is not known. {did_you_mean(str(value), known)}")
    if origin is tuple:
        parts = get_args(hint)
        many = parts[-1] is Ellipsis
        if many and isinstance(value, str | Mapping):  # one name is a list of one
            value = [value]
        if not isinstance(value, list | tuple) or (not many and len(value) != len(parts)):
            size = "a list" if many else f"a list of {len(parts)}"
            raise RecipeError(f"{key} = {value!r} is not {size}.")
        kinds = (parts[0],) * len(value) if many else parts
        return tuple(_typed(key, one, kind) for one, kind in zip(value, kinds, strict=True))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise RecipeError(f"{key} = {value!r} is not {_NAMES.get(hint, hint.__name__)}.")
    return value


def _table(key: str, value: Any) -> dict[str, Any]:
    """Return a step with its parameters; a name alone is a step with its defaults.

    Raises:
        RecipeError: Neither.
    """
    if isinstance(value, str):
        return {"step": value}
    if not isinstance(value, Mapping):
        raise RecipeError(f'{key} = {value!r} is neither a table such as {{step = "n4"}} nor the name of a step.')
    return dict(value)


_NAMES: Mapping[type, str] = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
