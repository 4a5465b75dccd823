"""What a BIDS data set says of itself: dataset_description.json, and sidecars that are inherited downwards."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from isocenter.case import Source
from isocenter.case.annotation import How
from isocenter.intake.layouts.bids.names import name_of
from isocenter.intake.layouts.document import load_document

NAME = "dataset_description.json"
_MOST_ENTITIES = 8  # of which any may lack in a sidecar's name: 256 names a folder
_BY_HAND = "manual"  # the word of the specification for "GeneratedBy" where people drew


def source_of(folder: Path) -> Source:
    """Return where a data set comes from and on what terms.

    Raises:
        LayoutError: Its dataset_description.json cannot be read.
    """
    said = load_document(folder / NAME) or {}
    makers = ", ".join(map(str, said["Authors"])) if isinstance(said.get("Authors"), list) else ""
    links = said.get("ReferencesAndLinks")
    told = [makers, said.get("DatasetDOI"), *(links if isinstance(links, list) else []), said.get("HowToAcknowledge")]
    return Source(
        name=str(said.get("Name") or ""),
        licence=str(said.get("License") or ""),
        origin=" ".join(str(one).rstrip(".") + "." for one in told if one),
        layout="bids",
    )


def how_of(folder: Path) -> How:
    """Return how the outlines of a derivative came about, as its dataset_description.json says.

    Raises:
        LayoutError: That file cannot be read.
    """
    made = (load_document(folder / NAME) or {}).get("GeneratedBy")
    names = [str(one.get("Name", "")).lower() for one in made if isinstance(one, Mapping)] if isinstance(
        made, list
    ) else []  # fmt: skip
    if not names or "unknown" in names:
        return "unknown"
    if _BY_HAND in names:
        return "manual"
    if "adjudicated" in names:
        return "adjudicated"
    return "consensus" if "consensus" in names else "algorithm"


def inherited(path: Path, folder: Path, *, ending: str) -> tuple[Path, ...]:
    """Return the sidecars that speak of a file (the inheritance principle), from the top down; the last one decides.

    Args:
        path: A file of the data set.
        folder: Its root; nothing above it is looked at.
        ending: ".json" or ".tsv".
    """
    return tuple(_sidecars(path, folder, ending))


def _sidecars(path: Path, folder: Path, ending: str) -> Iterator[Path]:
    name = name_of(path)
    if name is None:
        return
    # asked for by name: to list a folder of thousands of subjects for each of their files would take minutes
    pairs = [f"{key}-{label}" for key, label in name.entities.items()][:_MOST_ENTITIES]
    chosen = [words for size in range(len(pairs) + 1) for words in combinations(pairs, size)]
    inside = path.parent.relative_to(folder).parts
    for depth in range(len(inside) + 1):
        here = folder.joinpath(*inside[:depth])
        named = (here / ("_".join([*words, name.suffix]) + ending) for words in chosen)
        yield from (there for there in named if there.is_file())


def sidecar(path: Path, folder: Path) -> dict[str, Any]:
    """Return what the JSON beside and above a file says of it.

    Raises:
        LayoutError: One of them cannot be read.
    """
    said: dict[str, Any] = {}
    for one in inherited(path, folder, ending=".json"):
        said |= load_document(one) or {}
    return said


def scanner_of(path: Path, folder: Path) -> str:
    """Return maker and model of the machine that an image came from, "" where nobody said.

    Raises:
        LayoutError: A sidecar cannot be read.
    """
    said = sidecar(path, folder)
    return " ".join(str(said[key]).strip() for key in ("Manufacturer", "ManufacturersModelName") if said.get(key))
