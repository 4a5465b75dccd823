"""Two runs side by side: what was asked and decided otherwise, and how well each did."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.learning.training.page import kept_curves
from isocenter.learning.training.plan.keep import kept_plan, kept_recipe
from isocenter.models.model import read_model
from isocenter.pages.curves import Curve
from isocenter.pages.diff import DiffPage, Side, write_diff
from isocenter.pipeline.ground import Place, opened
from isocenter.pipeline.public import document
from isocenter.recipe import decisions_of
from isocenter.recipe.decisions import in_a_line
from isocenter.result import Score
from isocenter.store import Store
from isocenter.store.folders import RunRow

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One of two runs, as its folder and its model tell it.

    Args:
        asked: Key of the recipe to what it asked; None where the folder does not say.
        decided: Key of the plan to what was decided; empty where there is no plan yet.
        scores: On its validation patients; empty where it has left no model.
    """

    row: RunRow
    asked: Values | None
    decided: Values
    scores: tuple[Score, ...]
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Differed:
    """Two runs side by side, and the page that shows them where one was asked for."""

    first: Ran
    second: Ran
    page: Path | None

    @property
    def is_one_version(self) -> bool:
        """Whether both learnt from the same version of the data; else their scores are of different patients."""
        return self.first.row.dataset == self.second.row.dataset

    @property
    def asked(self) -> Mapping[str, tuple[Any, Any]] | None:
        """Key of the recipe to both values, where they differ; None where it was not kept of both."""
        if self.first.asked is None or self.second.asked is None:
            return None
        return _otherwise(self.first.asked, self.second.asked)

    @property
    def decided(self) -> Mapping[str, tuple[Any, Any]]:
        """Key of the plan to both values, where they differ."""
        return _otherwise(self.first.decided, self.second.decided)

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `runs diff`."""
        sides = (self.first, self.second)
        runs = [{name: getattr(side.row, name) for name in ("id", "dataset", "recipe", "model")} for side in sides]
        asked = self.asked
        return document(
            "diff_runs",
            runs=runs,
            one_version=self.is_one_version,
            recipe=None if asked is None else _rows(asked),
            plan=_rows(self.decided),
            scores=_scores(self.first.scores, self.second.scores),
            page=None if self.page is None else str(self.page),
        )


def diff_runs(first: str, second: str, *, out: Path | None = None, lang: str = "en", store: Place = None) -> Differed:
    """Return what two runs were asked and decided otherwise, with their scores side by side.

    Args:
        first, second: Ids, or their first digits, or "latest".
        out: An HTML file to write, with the curves of both over each other.
        lang: Of that page, "en" or "zh".
        store: Where the runs are kept.

    Raises:
        NotFoundError: There is no such run, or no such language.
        StoreError: What a run left is damaged, or the page cannot be written.
        SealError: A run's model was changed.
    """
    with opened(store) as house:
        sides = _ran(house, first), _ran(house, second)
    found = Differed(first=sides[0], second=sides[1], page=None if out is None else Path(out))
    if found.page is not None:
        write_diff(_page(found), found.page, lang=lang)
    return found


def _ran(house: Store, name: str) -> Ran:
    row = house.runs.find(name)
    folder = house.runs.path(row.id)
    plan, recipe = kept_plan(folder), kept_recipe(folder)
    return Ran(
        row=row,
        asked=None if recipe is None else _flat(recipe.to_document()),
        decided={} if plan is None else {one.key: one.value for one in decisions_of(plan) if one.value is not None},
        scores=read_model(house.models.folder(row.model)).scores if row.model else (),
        curves=kept_curves(folder),
    )


def _flat(asked: Mapping[str, Values]) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, values in asked.items() for key, value in values.items()}


def _otherwise(first: Values, second: Values) -> dict[str, tuple[Any, Any]]:
    keys = dict.fromkeys((*first, *second))
    return {key: (first.get(key), second.get(key)) for key in keys if first.get(key) != second.get(key)}


def _rows(differing: Mapping[str, tuple[Any, Any]]) -> list[dict[str, Any]]:
    return [{"key": key, "first": one, "second": other} for key, (one, other) in differing.items()]


def _scores(first: tuple[Score, ...], second: tuple[Score, ...]) -> list[dict[str, Any]]:
    """Return each measure of a structure with both runs' scores, None where one of them has none."""
    of = [{(score.name, score.label): score for score in scores} for scores in (first, second)]
    return [
        {
            "name": name,
            "label": label,
            **{
                side: scores[name, label].to_json() if (name, label) in scores else None
                for side, scores in zip(("first", "second"), of, strict=True)
            },
        }
        for name, label in dict.fromkeys((*of[0], *of[1]))
    ]


def _page(found: Differed) -> DiffPage:
    names = [side.row.id[:8] for side in (found.first, found.second)]
    if names[0] == names[1]:
        names = [f"{name} ({place})" for place, name in enumerate(names, 1)]
    sides = [
        Side(name=name, dataset=side.row.dataset, scores=side.scores, curves=side.curves)
        for name, side in zip(names, (found.first, found.second), strict=True)
    ]
    asked = found.asked
    return DiffPage(
        sides=(sides[0], sides[1]),
        asked=None if asked is None else _written(asked),
        decided=_written(found.decided),
    )


def _written(differing: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[str, str]]:
    return {
        key: ("" if one is None else in_a_line(one), "" if other is None else in_a_line(other))
        for key, (one, other) in differing.items()
    }
