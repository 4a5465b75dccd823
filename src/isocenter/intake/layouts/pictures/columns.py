"""What the columns of a table of pictures mean: paths, patients, sides, masks; all others are facts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from isocenter.case import UNSIGNED
from isocenter.errors import LayoutError
from isocenter.intake.cells import USUAL_NAMES, squeezed_name
from isocenter.intake.nameless import require_no_identity
from isocenter.plugins import did_you_mean

_ROLE = re.compile(r"path[_ ](?P<name>.+)", re.IGNORECASE)
_READER = re.compile(r"mask[_ ](?P<name>.+)", re.IGNORECASE)
_UNIT = re.compile(r"(?P<name>.+?)\s*\[(?P<unit>[^\[\]]+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Headers of a table by what they mean; a header as it stands in the file.

    Args:
        known: Meaning to header; "path" may lack where every path has a role.
        roles: Role to the header of its paths, beside "image".
        readers: Reader to the header of that reader's masks.
        facts: Name of a fact to (header, unit).
    """

    known: Mapping[str, str]
    roles: Mapping[str, str] = field(default_factory=dict)
    readers: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def paths(self) -> dict[str, str]:
        """Role to the header of its paths, the first one being the one outlined."""
        first = {"image": self.known["path"]} if "path" in self.known else {}
        return first | dict(self.roles)

    @property
    def masks(self) -> dict[str, str]:
        """Reader to the header of the masks."""
        first = {UNSIGNED: self.known["mask"]} if "mask" in self.known else {}
        return first | dict(self.readers)


def parse_columns(words: Iterable[str]) -> dict[str, str]:
    """Return ours to theirs from words such as "patient=near_dup_group,path=file".

    Raises:
        LayoutError: A word that is no such pair, or a column of ours twice.
    """
    found: dict[str, str] = {}
    for pair in (one.strip() for word in words for one in word.split(",")):
        ours, is_pair, theirs = (part.strip() for part in pair.partition("="))
        if not (ours and is_pair and theirs):
            raise LayoutError(f"--columns reads OURS=THEIRS, such as patient=subject_id; {pair!r} is no such pair.")
        if ours in found:
            raise LayoutError(f"--columns names {ours!r} twice. Keep one.")
        found[ours] = theirs
    return found


def understand(headers: Sequence[str], *, mapped: Mapping[str, str]) -> Columns:
    """Return what the headers of a table mean.

    Args:
        headers: As they stand in the file.
        mapped: Ours to theirs, as somebody asked for; these come before any guess.

    Raises:
        LayoutError: A mapped header that is not there, a column that bears identity, or one fact twice.
    """
    for ours, theirs in mapped.items():
        if theirs not in headers:
            raise LayoutError(f"--columns {ours}={theirs}: no such column. {did_you_mean(theirs, list(headers))}")
    asked = {theirs: ours for ours, theirs in mapped.items()}
    called = {header: asked.get(header, header) for header in headers}
    known = dict(_known(called, mapped=mapped))
    left = {header: name for header, name in called.items() if header not in known.values()}
    roles = {m["name"].lower(): header for header, name in left.items() if (m := _ROLE.fullmatch(name))}
    readers = {m["name"]: header for header, name in left.items() if (m := _READER.fullmatch(name))}
    taken = {*roles.values(), *readers.values()}
    facts = {}
    for header, name in left.items():
        if header in taken or not name.strip():
            continue
        require_no_identity(name)
        parts = _UNIT.fullmatch(name.strip())
        fact = parts["name"] if parts else name.strip()
        if fact in facts:
            raise LayoutError(f"Two columns hold the fact {fact!r}. Keep one, or give them names of their own.")
        facts[fact] = (header, parts["unit"].strip() if parts else "")
    return Columns(known=known, roles=roles, readers=readers, facts=facts)


def path_names() -> str:
    """Return what the column of paths may be called, for a message."""
    return ", ".join(USUAL_NAMES["path"][:8])


def _known(called: Mapping[str, str], *, mapped: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Yield (meaning, header): those asked for, else the header of the most telling name."""
    squeezed = {squeezed_name(name): header for header, name in reversed(list(called.items()))}
    for meaning, names in USUAL_NAMES.items():
        if meaning in mapped:
            yield meaning, mapped[meaning]
            continue
        header = next((squeezed[name] for name in names if name in squeezed), None)
        if header is not None and header not in mapped.values():
            yield meaning, header
