"""Split: a version of a data set becomes another one, of the same cases on other sides."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from isocenter.case import SIDES, Dataset, Frozen, persons_of
from isocenter.intake.factors import factors_of
from isocenter.intake.parting import Drawing, Part, part, parts_of
from isocenter.pipeline.freezing import frozen_of
from isocenter.pipeline.ground import Place, dataset_item, now, opened, seal
from isocenter.pipeline.public import document
from isocenter.result import Check, Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """A version with another split.

    Args:
        before: Id of the version that was split anew.
        by: In which respects the sides were to be alike.
        parts: How everybody came to stand, then each kind of each respect.
        frozen: Who is on the test side for good.
        together: Patients who share an image, and stand on one side; each group by their pseudonyms.
    """

    dataset: Dataset
    before: str
    drawing: Drawing
    by: tuple[str, ...]
    parts: tuple[Part, ...]
    frozen: tuple[Frozen, ...]
    together: tuple[tuple[str, ...], ...]
    receipt: str

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `split`."""
        split = self.dataset.split
        return document(
            "split",
            name=self.dataset.name,
            dataset=self.dataset.id,
            before=self.before,
            shares=dict(zip(SIDES, self.drawing.shares, strict=True)),
            folds=len(set(split.folds.values())) if split is not None else 0,
            seed=self.drawing.seed,
            by=list(self.by),
            parts=[asdict(one) for one in self.parts],
            frozen=[asdict(one) for one in self.frozen],
            together=[list(group) for group in self.together],
            receipt=self.receipt,
        )


def split(
    name: str,
    *,
    shares: tuple[float, float, float] = (0.70, 0.15, 0.15),
    folds: int = 5,
    seed: int = 0,
    by: tuple[str, ...] = (),
    keep_test: bool = False,
    store: Place = None,
) -> Parted:
    """Make a version of a data set with another split, by patient and stratified; the version that was split stays.

    Patients of a frozen test side are on the test side of every split, and patients who share an image on one side.

    Args:
        name: Of a data set, or a version of it; the new version is called as the data set is.
        shares: Of train, validation and test, over patients.
        folds: K of the folds over train and validation.
        seed: The same version, words and seed give the same split.
        by: What every side shows evenly, the more important first: "label", or names of facts, such as "site". Nothing
            takes the label, and the site or scanner where it is known.
        keep_test: The test side stays as it is.
        store: Where it is kept.

    Raises:
        NotFoundError: There is no such data set.
        SplitError: Fewer than three patients, shares that cannot be, or a fact that is not there.
        StoreError: The store cannot be used.
    """
    drawing = Drawing(shares=shares, folds=folds, seed=seed, keep_test=keep_test)
    with opened(store) as house:
        called = house.datasets.find(name).name
        with house.hold(f"dataset:{called}"):
            before = house.datasets.get(name)
            factors, frozen = factors_of(before, by), frozen_of(house, before.entries)
            drawn = part(before, drawing, factors=factors, frozen=[one.patient for one in frozen])
            version = replace(before, split=drawn)
            parts = tuple(parts_of(version, drawing, factors=factors))
            receipt = seal(
                house, "split", inputs=(dataset_item(house, before),),
                outputs=(Item(name=f"dataset:{version.name}", digest=version.id),), checks=_checks(parts, frozen),
                facts=_asked(drawing) | {"by": [factor.name for factor in factors]},
            )  # fmt: skip
            house.datasets.save(version, at=now())
    return Parted(
        dataset=version, before=before.id, drawing=drawing, by=tuple(factor.name for factor in factors), parts=parts,
        frozen=frozen, together=_together(version), receipt=receipt,
    )  # fmt: skip


def _asked(drawing: Drawing) -> dict[str, Any]:
    return asdict(drawing) | {"shares": list(drawing.shares)}


def _checks(parts: tuple[Part, ...], frozen: tuple[Frozen, ...]) -> tuple[Check, ...]:
    worst = max(one.missed for one in parts)
    return (
        Check(name="one patient on one side", held=True, figure="by type", limit="by type"),
        Check(name="frozen patients on the test side", held=True, figure=str(len(frozen)), limit="all"),
        Check(name="patients by which a share is missed, at most", held=True, figure=f"{worst:.2f}", limit="told"),
    )


def _together(version: Dataset) -> tuple[tuple[str, ...], ...]:
    groups: Mapping[str, list[str]] = {}
    persons = persons_of(version.entries)
    groups = {person: [] for person in persons.values()}
    for patient, person in persons.items():
        groups[person].append(patient)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
