"""Who is learnt from, chosen on and tested on: by patient, so that nobody stands on two sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from isocenter.errors import SplitError

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")


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


def draw_split(
    strata: Mapping[str, str],
    *,
    shares: Sequence[float] = (0.70, 0.15, 0.15),
    fold_count: int = 5,
    seed: int = 0,
    test: frozenset[str] = frozenset(),
) -> Split:
    """Return a stratified random split by patient.

    Args:
        strata: Patient to the stratum whose shares every side should show, such as "site A, large".
        shares: Of train, validation and test; they sum to 1.
        fold_count: K of the folds; fewer where there are fewer patients.
        seed: The same patients, strata and seed give the same split, whatever their order.
        test: Patients that are test whatever is drawn (a set that names its own test cases); then no other
            patient is test, and the others share train and validation.

    Raises:
        SplitError: Fewer than three patients, shares that do not sum to 1, or unknown test patients.
    """
    if len(strata) < 3:
        raise SplitError(
            f"{len(strata)} patient(s) cannot be split into train, validation and test: each side needs one. "
            "Add patients, or use the data set for evaluation only."
        )
    if abs(sum(shares) - 1.0) > 1e-6 or min(shares) < 0:
        raise SplitError(f"Shares {list(shares)} do not sum to 1.")
    if not test <= set(strata):
        raise SplitError(f"{len(test - set(strata))} of the named test patients are not in the data set.")
    rng = np.random.default_rng(seed)
    queue = [patient for patient in _interleaved(strata, rng) if patient not in test]
    left = shares[0] + shares[1]
    wanted = {
        "train": shares[0] / left if test else shares[0],
        "validation": shares[1] / left if test else shares[1],
        "test": 0.0 if test else shares[2],
    }
    sides: dict[str, Side] = dict.fromkeys(sorted(test), "test")
    sides |= _dealt(queue, wanted)
    learning = [patient for patient in queue if sides[patient] != "test"]
    count = max(2, min(fold_count, len(learning)))
    folds = {patient: place % count for place, patient in enumerate(learning)}
    return Split(sides=sides, folds=folds, seed=seed)


def _interleaved(strata: Mapping[str, str], rng: np.random.Generator) -> list[str]:
    """Return the patients so that any run of neighbours shows the strata in their shares."""
    placed: list[tuple[float, str]] = []
    for stratum in sorted(set(strata.values())):
        members = sorted(patient for patient, there in strata.items() if there == stratum)
        rng.shuffle(members)
        offset = rng.random()
        placed += [((place + offset) / len(members), patient) for place, patient in enumerate(members)]
    return [patient for _, patient in sorted(placed)]


def _dealt(queue: Sequence[str], wanted: Mapping[str, float]) -> dict[str, Side]:
    """Deal patients one by one to the side that lags most behind its share; no wanted side stays empty."""
    count: dict[Side, int] = dict.fromkeys(SIDES, 0)
    sides: dict[str, Side] = {}
    for place, patient in enumerate(queue, 1):
        open_ = [side for side in SIDES if wanted[side] > 0]
        side = max(open_, key=lambda name: wanted[name] * place - count[name])
        empty = [name for name in open_ if count[name] == 0]
        if len(queue) - place < len(empty):
            side = empty[0]
        sides[patient] = side
        count[side] += 1
    return sides
