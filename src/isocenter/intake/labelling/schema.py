"""A schema as TOML: what readers are asked of a case and of each finding, level by level."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isocenter.case import WHOLE, Asked, Level, Schema
from isocenter.errors import FileError, LabelError
from isocenter.plugins import did_you_mean

_TOP = ("name", WHOLE, "findings")
_OF_LEVEL = {"classes", "grades", "unit", "least", "most"}


def read_schema(path: Path) -> Schema:
    """Return the schema in a TOML file (docs/reference/labels.md).

    Raises:
        FileError: It cannot be read.
        LabelError: No TOML, an unknown key, or a schema that cannot be.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path.name} cannot be read ({error.strerror}). Check how the path is written.") from error
    except ValueError as error:
        raise LabelError(f"{path.name} is no TOML ({error}). Mend it at that place.") from error
    try:
        return _schema(document)
    except LabelError as error:
        raise LabelError(f"{path.name}: {error}") from error


def _schema(document: Mapping[str, Any]) -> Schema:
    for key in document:
        if key not in _TOP:
            raise LabelError(f"There is no key {key!r}. {did_you_mean(key, list(_TOP))}")
    findings = []
    if WHOLE in document:
        findings.append(Asked(name=WHOLE, levels=_levels(document[WHOLE], of=WHOLE)))
    for name, told in _table(document.get("findings", {}), of="findings").items():
        levels = dict(_table(told, of=f"findings.{name}"))
        several = levels.pop("several", False)
        if name == WHOLE or not isinstance(several, bool):
            raise LabelError(f"[findings.{name}]: no finding is called {WHOLE!r}, and several is true or false.")
        findings.append(Asked(name=name, levels=_levels(levels, of=f"findings.{name}"), several=several))
    return Schema(name=str(document.get("name", "schema")), findings=tuple(findings))


def _levels(told: Any, *, of: str) -> tuple[Level, ...]:
    return tuple(_level(name, _table(one, of=f"{of}.{name}"), of=of) for name, one in _table(told, of=of).items())


def _level(name: str, told: Mapping[str, Any], *, of: str) -> Level:
    strange = sorted(set(told) - _OF_LEVEL)
    if strange:
        raise LabelError(f"[{of}.{name}] has no key {strange[0]!r}. {did_you_mean(strange[0], sorted(_OF_LEVEL))}")
    for form in ("classes", "grades"):
        if form in told:
            words = told[form]
            if not isinstance(words, list) or len(told) > 1:
                raise LabelError(f"[{of}.{name}]: {form} is a list of words, and nothing else stands beside it.")
            return Level(name=name, form="classes" if form == "classes" else "grades", words=tuple(map(str, words)))
    try:
        bounds = {key: None if key not in told else float(told[key]) for key in ("least", "most")}
    except (TypeError, ValueError) as error:
        raise LabelError(f"[{of}.{name}]: least and most are numbers.") from error
    return Level(name=name, form="number", unit=str(told.get("unit", "")), least=bounds["least"], most=bounds["most"])


def _table(told: Any, *, of: str) -> Mapping[str, Any]:
    if not isinstance(told, Mapping):
        raise LabelError(f"[{of}] is a table; {told!r} is none.")
    return told
