"""A version drawn into sides anew, and how far what came out lies from what was asked."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from isocenter.case import SIDES, Dataset, Side, Split, draw_split, persons_of
from isocenter.errors import SplitError
from isocenter.intake.factors import Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How a version is to be split.

    Args:
        shares: Of train, validation and test, over persons.
        folds: K of the folds over train and validation; fewer where there are fewer persons.
        seed: The same version and the same drawing give the same split.
        keep_test: The test side stays as it is.

    Raises:
        SplitError: Fewer than two folds.
    """

    shares: tuple[float, float, float] = (0.70, 0.15, 0.15)
    folds: int = 5
    seed: int = 0
    keep_test: bool = False

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise SplitError(f"{self.folds} fold(s) part nothing: two are the least.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How the persons of one kind came to stand.

    Args:
        by, kind: Of which respect, and what they show; both empty for everybody.
        patients, cases: By side; a person counts once, under however many names.
        missed: By how many persons the side that is worst off misses its share of this kind.
    """

    by: str
    kind: str
    patients: Mapping[Side, int]
    cases: Mapping[Side, int]
    missed: float


def part(dataset: Dataset, drawing: Drawing, *, factors: Sequence[Factor], frozen: Collection[str] = ()) -> Split:
    """Return a new split of a version: by person, stratified, seeded.

    Patients who share an image stand on one side, as one person (see persons_of).

    Args:
        dataset: The version.
        drawing: How.
        factors: In which respects all sides should be alike, the more important first.
        frozen: Patients who are on the test side whatever is drawn; others join them, up to its share.

    Raises:
        SplitError: Fewer than three persons, shares that cannot be, or nobody left to learn from.
    """
    persons = persons_of(dataset.entries)
    strata = {person: tuple(factor.strata[person] for factor in factors) for person in set(persons.values())}
    stay = dataset.split.patients("test") if drawing.keep_test and dataset.split is not None else frozenset()
    fixed: dict[str, Side] = {persons[patient]: "test" for patient in stay}
    tested = {persons[patient] for patient in frozen}
    kept = {*fixed, *tested}
    if kept and len(strata) - len(kept) < 2:
        raise SplitError(
            f"{len(kept)} of {len(strata)} persons must stay on the test side ({len(tested)} of them frozen): train "
            "and validation need one each of the others. Add patients."
        )
    drawn = draw_split(
        strata, shares=drawing.shares, fold_count=drawing.folds, seed=drawing.seed, fixed=fixed, tested=tested
    )
    return drawn.spread(persons)


def parts_of(dataset: Dataset, drawing: Drawing, *, factors: Sequence[Factor]) -> Iterator[Part]:
    """Yield how everybody came to stand, then each kind of each respect.

    Args:
        dataset: With its new split.
        drawing: How that was asked for.
        factors: In which respects.
    """
    persons = persons_of(dataset.entries)
    everybody = set(persons.values())
    yield _part(dataset, drawing, everybody, persons=persons)
    for factor in factors:
        for kind in sorted({kind for kinds in factor.kinds.values() for kind in kinds}):
            of = {person for person in everybody if kind in factor.kinds[person]}
            yield _part(dataset, drawing, of, persons=persons, named=(factor.name, kind))


def _part(
    dataset: Dataset,
    drawing: Drawing,
    of: Collection[str],
    *,
    persons: Mapping[str, str],
    named: tuple[str, str] = ("", ""),
) -> Part:
    sides: Mapping[str, Side] = {} if dataset.split is None else dataset.split.sides
    patients = Counter(sides[person] for person in of)
    cases = Counter(sides[entry.patient] for entry in dataset.entries if persons[entry.patient] in of)
    missed = (abs(patients[side] - share * len(of)) for side, share in zip(SIDES, drawing.shares, strict=True))
    return Part(
        by=named[0], kind=named[1], missed=max(missed), patients={side: patients[side] for side in SIDES},
        cases={side: cases[side] for side in SIDES},
    )  # fmt: skip
