"""PS3.15 table E.1-1, and what it leans on: types of attributes in each object class, and safe private attributes.

Sources: the Basic column is that of PS3.15 2026c; the option columns are those of 2024e, so that the 35 attributes
listed since have none, and keep the basic action under every option. Types: PS3.3, reduced to the attributes whose
action depends on them. Safe private attributes: PS3.15 table E.3.10-1.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

EDITION = "PS3.15 2026c"
ODD = "ODD"
"""Stands for every private attribute."""
_ANY = "*"
_FIXED = ("tag", "name", "basic", "edition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: the action of the basic profile, and those of the options that change it.

    Args:
        tag: Eight hex digits; X stands for any digit, "ODD" for every private attribute.
        basic: One of D, Z, X, U, and what the standard combines of them, such as X/Z/D.
        options: Option to its action, K or C.
    """

    tag: str
    name: str
    basic: str
    options: Mapping[str, str]
    edition: str


@cache
def rows() -> tuple[Row, ...]:
    """Return the table's rows, by tag."""
    return tuple(
        Row(
            tag=line["tag"], name=line["name"], basic=line["basic"], edition=line["edition"],
            options=MappingProxyType({key: code for key, code in line.items() if key not in _FIXED and code}),
        )
        for line in _lines("e1_1.csv")
    )  # fmt: skip


@cache
def types() -> Mapping[str, Mapping[int, str]]:
    """Return the attributes that must be there: tag to "1" or "2", conditions taken as met.

    By SOP class UID for a data set's outermost level, by the sequence's tag (eight hex digits) for its items.
    """
    return MappingProxyType({line["where"]: _typed(line) for line in _lines("types.csv")})


def type_of(tag: int, *, sop_class: str, within: int = 0) -> str:
    """Return an attribute's type where its action depends on it: "1", "2" or "3", the strictest that may apply.

    Args:
        tag: Its group and element.
        sop_class: UID of the object's class.
        within: Tag of the sequence in whose item it stands; 0 for the outermost level.
    """
    known = types()
    strict = known.get(f"{within:08X}" if within else sop_class)
    return (known[_ANY] if strict is None else strict).get(tag, "3")


@cache
def safe_private() -> Mapping[tuple[int, int, str], str]:
    """Return the private attributes held to be safe: (group, last byte of the element, creator) to their kind."""
    return MappingProxyType(
        {
            (int(line["tag"][:4], 16), int(line["tag"][-2:], 16), line["creator"]): line["vr"]
            for line in _lines("safe_private.csv")
        }
    )


def _typed(line: Mapping[str, str]) -> Mapping[int, str]:
    found = {int(tag, 16): "2" for tag in line["type_2"].split()}
    return MappingProxyType(found | {int(tag, 16): "1" for tag in line["type_1"].split()})


def _lines(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines())
