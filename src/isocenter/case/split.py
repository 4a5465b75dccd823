"""Who is learnt from, chosen on and tested on: by patient, so that nobody stands on two sides."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from isocenter.errors import SplitError

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")

Stratum = str | tuple[str, ...]
"""What a patient is like, in a word; or in several, of which each is shown evenly, and all of them together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Each patient's side, and a fold for each patient that is not on the test side.

    A patient is a key here, so one patient on two sides cannot be written down.

    Raises:
        SplitError: Sides and folds speak of different patients.
    """

    sides: Mapping[str, Side]
    folds: Mapping[str, int]
    seed: int = 0

    def __post_init__(self) -> None:
        expected = {patient for patient, side in self.sides.items() if side != "test"}
        if set(self.folds) != expected:
            raise SplitError("Folds hold every patient of train and validation, and nobody else.")
        strange = set(self.sides.values()) - set(SIDES)
        if strange:
            raise SplitError(f"{sorted(strange)} is no side of a split; sides are {', '.join(SIDES)}.")

    def patients(self, side: Side, *, fold: int | None = None) -> frozenset[str]:
        """Return the patients of a side.

        Args:
            side: Which one.
            fold: With a fold, "validation" is that fold and "train" the other folds; "test" stays.

        Raises:
            SplitError: There is no such fold.
        """
        if fold is None or side == "test":
            return frozenset(patient for patient, there in self.sides.items() if there == side)
        if fold not in set(self.folds.values()):
            raise SplitError(f"There is no fold {fold}; folds run from 0 to {max(self.folds.values(), default=-1)}.")
        inside = side == "validation"
        return frozenset(patient for patient, there in self.folds.items() if (there == fold) is inside)

    def renamed(self, name: Callable[[str], str]) -> "Split":
        """Return the split of the same patients under other names."""
        sides = {name(patient): side for patient, side in self.sides.items()}
        folds = {name(patient): fold for patient, fold in self.folds.items()}
        return Split(sides=sides, folds=folds, seed=self.seed)

    def spread(self, persons: Mapping[str, str]) -> "Split":
        """Return the split of patients that was drawn over persons.

        Args:
            persons: Patient to the person that stands for them here (see persons_of).
        """
        sides = {patient: self.sides[person] for patient, person in persons.items()}
        folds = {patient: self.folds[person] for patient, person in persons.items() if person in self.folds}
        return Split(sides=sides, folds=folds, seed=self.seed)

    def without(self, patient: str) -> "Split":
        """Return the split of everybody else, each where they were."""
        sides = {one: side for one, side in self.sides.items() if one != patient}
        folds = {one: fold for one, fold in self.folds.items() if one != patient}
        return Split(sides=sides, folds=folds, seed=self.seed)


def draw_split(
    strata: Mapping[str, Stratum],
    *,
    shares: Sequence[float] = (0.70, 0.15, 0.15),
    fold_count: int = 5,
    seed: int = 0,
    fixed: Mapping[str, Side] | None = None,
    tested: Collection[str] = (),
) -> Split:
    """Return a stratified random split by patient.

    Args:
        strata: Patient to the stratum whose shares every side should show, such as "site A, large".
        shares: Of train, validation and test; they sum to 1, and train has one.
        fold_count: K of the folds; fewer where there are fewer patients.
        seed: The same patients, strata and seed give the same split, whatever their order.
        fixed: Patients that are test or validation whatever is drawn (a set that names its own): nobody else is on
            such a side then, and the others share what is left. Who is fixed on train only shares it, as all others do.
        tested: Patients that are test whatever is drawn, as `fixed` may say too; but others join them there, up to the
            share of the test side.

    Raises:
        SplitError: Fewer than three patients, shares that cannot be, a fixed patient that is not there, or nobody
            left to learn from.
    """
    if len(strata) < 3:
        raise SplitError(
            f"{len(strata)} patient(s) cannot be split into train, validation and test: each side needs one. "
            "Add patients, or use the data set for evaluation only."
        )
    if abs(sum(shares) - 1.0) > 1e-6 or min(shares) < 0 or shares[0] == 0:
        raise SplitError(f"Shares {list(shares)} do not sum to 1, or leave nobody to learn from.")
    stated: dict[str, Side] = {patient: side for patient, side in (fixed or {}).items() if side != "train"}
    named: dict[str, Side] = {**stated, **dict.fromkeys(tested, "test")}
    if not set(named) <= set(strata):
        raise SplitError(f"{len(set(named) - set(strata))} patients of the named sides are not in the data set.")
    rng = np.random.default_rng(seed)
    order = _interleaved(strata, rng)
    queue = [patient for patient in order if patient not in named]
    if not queue:
        raise SplitError("The named sides leave nobody to learn from.")
    sides = _dealt(queue, strata, wanted=_wanted(shares, taken=set(stated.values())), named=named)
    learning = [patient for patient in order if sides[patient] != "test"]
    folds = _folded(learning, strata, count=max(2, min(fold_count, len(learning))))
    return Split(sides=sides, folds=folds, seed=seed)


def some_patients(strata: Mapping[str, Stratum], *, count: int, seed: int = 0) -> frozenset[str]:
    """Return so many patients, strata in their shares; of one seed fewer always lie within more.

    Args:
        strata: Patient to stratum, of everybody who may be drawn.
        count: How many.
        seed: The same patients, strata and seed give the same draw.

    Raises:
        SplitError: There are not so many.
    """
    if not 1 <= count <= len(strata):
        raise SplitError(f"{count} patients were asked for, and there are {len(strata)} to draw from.")
    return frozenset(_interleaved(strata, np.random.default_rng(seed))[:count])


def _wanted(shares: Sequence[float], *, taken: set[Side]) -> dict[Side, float]:
    """Return the shares of the sides that are drawn; those that are taken already want nobody more."""
    open_ = {side: share for side, share in zip(SIDES, shares, strict=True) if side not in taken}
    return {side: open_[side] / sum(open_.values()) if side in open_ else 0.0 for side in SIDES}


def _interleaved(strata: Mapping[str, Stratum], rng: np.random.Generator) -> list[str]:
    """Return the patients so that any run of neighbours shows the strata in their shares."""
    placed: list[tuple[float, str]] = []
    for stratum in sorted(set(strata.values()), key=_words):
        members = sorted(patient for patient, there in strata.items() if there == stratum)
        rng.shuffle(members)
        offset = rng.random()
        placed += [((place + offset) / len(members), patient) for place, patient in enumerate(members)]
    return [patient for _, patient in sorted(placed)]


def _dealt(
    queue: Sequence[str], strata: Mapping[str, Stratum], *, wanted: Mapping[Side, float], named: Mapping[str, Side]
) -> dict[str, Side]:
    """Deal patients one by one to the side that lags most behind its share, in all and in their strata.

    A stratum counts by itself: a class of every fourth patient would else fall in step with the dealing, and miss
    a side. No wanted side stays empty. Who is named already stands where they are; on a side that nobody else is
    dealt to, they do not count.
    """
    count: dict[Hashable, Counter[Side]] = defaultdict(Counter)
    sides: dict[str, Side] = {}
    open_ = [side for side in SIDES if wanted[side] > 0]

    def seat(patient: str, side: Side) -> None:
        sides[patient] = side
        for group in _groups(strata[patient]):
            count[group][side] += side in open_

    for patient, side in sorted(named.items()):
        seat(patient, side)
    for place, patient in enumerate(queue, 1):
        mine = [count[group] for group in _groups(strata[patient])]
        whole = sum(one.total() + 1 for one in mine)
        due = {side: wanted[side] * whole - sum(one[side] for one in mine) for side in open_}
        side = max(open_, key=lambda name: due[name])
        empty = [name for name in open_ if count[_ALL][name] == 0]
        seat(patient, empty[0] if len(queue) - place < len(empty) else side)
    return sides


def _folded(learning: Sequence[str], strata: Mapping[str, Stratum], *, count: int) -> dict[str, int]:
    """Deal patients to the fold that holds the fewest of their strata, then the fewest in all."""
    held: dict[Hashable, Counter[int]] = defaultdict(Counter)
    folds: dict[str, int] = {}
    for patient in learning:
        whole, *mine = (held[group] for group in _groups(strata[patient]))
        fold = min((sum(group[one] for group in mine), whole[one], one) for one in range(count))[-1]
        folds[patient] = fold
        for group in (whole, *mine):
            group[fold] += 1
    return folds


_ALL = ""  # everybody; strata are told by their place


def _groups(stratum: Stratum) -> tuple[Hashable, ...]:
    """Return the groups in which a patient counts: everybody, each stratum, and the patients alike in all of them."""
    words = _words(stratum)
    return (_ALL, *enumerate(words), *((words,) if len(words) > 1 else ()))


def _words(stratum: Stratum) -> tuple[str, ...]:
    return (stratum,) if isinstance(stratum, str) else stratum
