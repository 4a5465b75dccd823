"""Cells as facts: numbers where all that is known are numbers, else categories; nothing that tells who somebody is."""

import re
from collections.abc import Mapping, Sequence
from math import isfinite

from isocenter.case import Fact
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.pictures.table import Table
from isocenter.intake.strata import LISTED, is_label

_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*")
_DAY_NUMBER = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")  # 20240301
_THOUSANDS = re.compile(r"[-+<>≤≥= ]*\d{1,3},\d{3}")
_FEW = 20  # lines from which on words that hardly repeat are no categories
_REPEATED = 0.5


def facts_of(table: Table, lines: Sequence[Mapping[str, str]]) -> tuple[list[dict[str, Fact]], list[Issue]]:
    """Return the facts of each line, and what was left out: dates, unclear numbers, words that name one line each.

    Args:
        table: Whose columns say what is a fact, and in which unit.
        lines: Header to cell.
    """
    found: list[dict[str, Fact]] = [{} for _ in lines]
    issues: list[Issue] = []
    for name, (header, unit) in table.columns.facts.items():
        cells = [line[header] for line in lines]
        numbers, bounds = _numbers(cells)
        why = _tells(
            [cell for cell in cells if cell], is_label=is_label(name), is_number=bool(numbers), mark=table.mark
        )
        if why:
            issues.append(_left_out(table.name, name, why))
            continue
        if bounds:
            issues.append(_bounded(table.name, name, bounds))
        values: Sequence[float | str | None] = numbers or [cell or None for cell in cells]
        for facts, value in zip(found, values, strict=True):
            facts[name] = Fact(value=value, unit=unit if numbers else "")
    return found, issues


def _numbers(cells: Sequence[str]) -> tuple[list[float | None], int]:
    """Return cells as numbers and how many are bounds such as "<5"; nothing where a known cell is no number.

    Bounds are what a laboratory writes beyond the range of its method; where most cells are plain, they count as the
    bound itself.
    """
    plain = [_number(cell) if cell else None for cell in cells]
    left = [place for place, cell in enumerate(cells) if cell and plain[place] is None]
    known = sum(bool(cell) for cell in cells)
    for place in left:
        plain[place] = _number(cells[place].lstrip("<>≤≥= ")) if cells[place][0] in "<>≤≥" else None
        if plain[place] is None or len(left) > known / 2:
            return [], 0
    return (plain, len(left)) if known else ([], 0)


def _number(cell: str) -> float | None:
    if "_" in cell:  # Python's mark of thousands, in a table one of codes
        return None
    try:
        number = float(cell)
    except ValueError:
        try:  # a comma as decimal mark
            number = float(cell.replace(",", ".")) if cell.count(",") == 1 else float("nan")
        except ValueError:
            return None
    return number if isfinite(number) else None


def _tells(known: Sequence[str], *, is_label: bool, is_number: bool, mark: str) -> str:
    """Return why a column is left out: it would tell who somebody is, or nobody can tell what it says; else ""."""
    if any(_DATE.fullmatch(cell) for cell in known) or (known and all(_DAY_NUMBER.fullmatch(cell) for cell in known)):
        return "dates tell who somebody is"
    if is_number:
        is_unclear = mark == "," and any(_THOUSANDS.fullmatch(cell) for cell in known)
        return "commas in its numbers may stand for thousands or before decimals" if is_unclear else ""
    kinds = {word for cell in known for word in cell.split(LISTED)}
    if not is_label and len(known) > _FEW and len(kinds) > _REPEATED * len(known):
        return f"{len(kinds)} different words in {len(known)} lines are names or free text, not categories"
    return ""


def _left_out(table: str, name: str, why: str) -> Issue:
    return Issue(
        check="facts", where=f"{table}: {name}", figure=f"the column was left out: {why}",
        limit="numbers, or categories that repeat", severity="warn",
        mend="Nothing, unless it should be learnt: then call it label, write plain numbers, or group its values.",
    )  # fmt: skip


def _bounded(table: str, name: str, count: int) -> Issue:
    return Issue(
        check="facts", where=f"{table}: {name}", figure=f"{count} values are bounds such as <5, and count as the bound",
        limit="numbers", mend="Nothing, unless the values beyond matter.", severity="warn",
    )  # fmt: skip
