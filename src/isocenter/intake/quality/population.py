"""A cohort beside the population that it is to stand for: which groups it holds fewer of, and how sure that is."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.case import Dataset, Entry
from isocenter.errors import FileError, InputError
from isocenter.intake.quality.coverage import kinds_in, share_of
from isocenter.plugins import did_you_mean
from isocenter.result import Score

_BAND = re.compile(
    r"\s*(?:(?P<low>-?[\d.]+)\s*-\s*(?P<high>-?[\d.]+)|<\s*(?P<below>-?[\d.]+)|>=\s*(?P<least>-?[\d.]+))\s*"
)
_WHOLE = 0.02  # that stated shares of one fact may miss 1 by, as rounding does

Shares = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """What a population is made of.

    Args:
        source: Where that is written.
        shares: Fact to kind to share of the population. Kinds of numbers are bands: "18-40" (40 not included), "<18",
            ">=65".
    """

    source: str
    shares: Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One group of the population, as the cohort holds it.

    Args:
        share: Of the cohort's patients of whom the fact is known.
        stated: Of the population.
    """

    fact: str
    kind: str
    share: Score
    stated: float

    @property
    def verdict(self) -> str:
        """Say "less" or "more" where the interval leaves the stated share out, else "alike"."""
        return "less" if self.share.high < self.stated else "more" if self.share.low > self.stated else "alike"


def read_population(path: Path) -> Population:
    """Return a population as a TOML file states it: `source = "…"`, and a table of shares for each fact.

    Raises:
        FileError: It cannot be read.
        InputError: It is no TOML, states no source, or shares that are none.
    """
    try:
        found: dict[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"The population {path} cannot be read. Name a TOML file.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The population {path} is no TOML: {error}.") from error
    source = found.pop("source", "")
    if not isinstance(source, str) or not source.strip():
        raise InputError(f'{path} does not say where its figures are from. Add a line source = "census of 2020".')
    if not found:
        raise InputError(f"{path} states no shares. Add a table for each fact: [sex], then F = 0.51 and M = 0.49.")
    return Population(source=source, shares={fact: _shares(fact, told) for fact, told in found.items()})


def gaps_of(dataset: Dataset, population: Population) -> tuple[Gap, ...]:
    """Return every group that a population states, as a cohort holds it.

    Args:
        dataset: A version; no image is opened.
        population: What it is to stand for.

    Raises:
        InputError: The cohort has no such fact.
    """
    names = {name for entry in dataset.entries for name in entry.facts}
    return tuple(gap for fact in population.shares for gap in _gaps(dataset, fact, population.shares[fact], names))


def _gaps(dataset: Dataset, fact: str, stated: Mapping[str, float], names: set[str]) -> Iterator[Gap]:
    if fact not in names:
        raise InputError(
            f"The cohort knows no {fact!r}, of which the population speaks. {did_you_mean(fact, sorted(names))}"
        )
    by_kind: dict[str, set[str]] = {kind: set() for kind in stated}
    known: set[str] = set()
    for entry in dataset.entries:
        kinds = kinds_in(entry, fact)
        known |= {entry.patient} if kinds else set()
        for kind in by_kind:
            if kind in kinds or _lies_in(entry, fact, kind):
                by_kind[kind].add(entry.patient)
    for kind, share in stated.items():
        yield Gap(
            fact=fact, kind=kind, stated=share,
            share=share_of(len(by_kind[kind]), len(known), name=fact, label=kind),
        )  # fmt: skip


def _lies_in(entry: Entry, fact: str, kind: str) -> bool:
    value = entry.facts[fact].value if fact in entry.facts else None
    band = _BAND.fullmatch(kind)
    if band is None or not isinstance(value, float | int):
        return False
    if band["below"]:
        return value < float(band["below"])
    if band["least"]:
        return value >= float(band["least"])
    return float(band["low"]) <= value < float(band["high"])


def _shares(fact: str, told: Any) -> Mapping[str, float]:
    if not isinstance(told, dict) or not told:
        raise InputError(f"The population's {fact!r} must be a table of shares, such as F = 0.51.")
    shares = {str(kind): share for kind, share in told.items()}
    if not all(isinstance(one, float | int) and 0 <= one <= 1 for one in shares.values()):
        raise InputError(f"The population's {fact!r} must give each kind a share from 0 to 1.")
    if sum(shares.values()) > 1 + _WHOLE:
        raise InputError(
            f"The population's shares of {fact!r} make {sum(shares.values()):.2f}, which is more than all."
        )
    return {kind: float(share) for kind, share in shares.items()}
