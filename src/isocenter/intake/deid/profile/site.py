"""A site's own recipe for de-identification, in TOML: what it removes, replaces and keeps beside the profile.

remove = ["(0018,1030)", "DeviceSerialNumber"]
words = ["Protokoll"]                              # descriptions may keep these
patient = "near_dup_group"                         # column of tables that tells patients apart

[replace]
Manufacturer = "a maker"

[keep]
"(0010,1010)" = "ages are what the study asks; approved on 2026-11-02"

[columns]
label = "what the study asks"                      # of tables beside images; all others are left out
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.errors import FileError, InputError
from isocenter.intake.deid.profile.profile import Site, tag_named
from isocenter.plugins import did_you_mean

_KEYS = ("remove", "words", "replace", "keep", "columns", "patient")


def read_site(path: Path) -> Site:
    """Return what a site's recipe says.

    Raises:
        FileError: It cannot be read.
        InputError: It is no TOML, has a key that there is not, names no attribute, or holds another kind of value.
    """
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"The site's recipe {path} cannot be read. Name a TOML file.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The site's recipe {path} is no TOML: {error}.") from error
    for key in found:
        if key not in _KEYS:
            raise InputError(f"The site's recipe has a key {key!r}. {did_you_mean(key, list(_KEYS))}")
    return Site(
        remove=frozenset(map(tag_named, _texts(found.get("remove", []), "remove"))),
        words=frozenset(_texts(found.get("words", []), "words")),
        replace=_tagged(found.get("replace", {}), "replace"),
        keep=_tagged(found.get("keep", {}), "keep"),
        columns=_named(found.get("columns", {}), "columns", like='label = "what the study asks"'),
        patient=_text(found.get("patient", "")),
    )


def _texts(value: Any, key: str) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InputError(f'{key} of the site\'s recipe must be a list of texts, such as ["(0018,1030)"].')
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InputError('patient of the site\'s recipe must be the header of a column, such as "subject".')
    return value


def _tagged(value: Any, key: str) -> Mapping[int, str]:
    return {tag_named(name): text for name, text in _named(value, key, like='Manufacturer = "a maker"').items()}


def _named(value: Any, key: str, *, like: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise InputError(f"[{key}] of the site's recipe must give a text for each line: {like}.")
    return value
