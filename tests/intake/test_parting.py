"""A version split anew: in which respects, with whom together, and how far shares are missed."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from isocenter.case import SIDES, Dataset, Entry, Fact, Outline
from isocenter.errors import SplitError
from isocenter.image import LabelTable
from isocenter.intake.factors import factors_of
from isocenter.intake.parting import Drawing, part, parts_of

Value = float | str | None


def entry(number: int, patient: str, *, present: tuple[int, ...] = (), **facts: Value) -> Entry:
    outlines = (Outline(reader="r", digest=f"{number:064x}", present=present),) if present else ()
    return Entry(
        id=f"c{number:04d}", patient=patient, volumes={"image": f"{number:064d}"}, outlines=outlines,
        facts={name: Fact(value=value) for name, value in facts.items()},
    )  # fmt: skip


def dataset(entries: list[Entry], *, table: LabelTable | None = None) -> Dataset:
    return Dataset(name="d", entries=tuple(entries), table=table, split=None)


def test_without_a_word_the_label_and_the_site_are_shown_evenly() -> None:
    sites = [entry(n, f"p{n}", label="ab"[n % 2], site="xy"[n % 2], sex="F") for n in range(12)]
    assert [factor.name for factor in factors_of(dataset(sites), ())] == ["label", "site"]
    scanners = [entry(n, f"p{n}", label="ab"[n % 2], scanner="xy"[n % 2]) for n in range(12)]
    assert [factor.name for factor in factors_of(dataset(scanners), ())] == ["label", "scanner"]


def test_a_patient_shows_what_any_of_their_cases_shows() -> None:
    cases = [entry(0, "p0", label="well"), entry(1, "p0", label="sick"), entry(2, "p1", label="well")]
    (factor,) = factors_of(dataset(cases), ("label",))
    assert factor.kinds == {"p0": {"sick", "well"}, "p1": {"well"}}
    assert factor.strata["p0"] != factor.strata["p1"]


def test_outlines_are_labels_by_the_name_of_their_structure() -> None:
    cases = [entry(n, f"p{n}", present=(1, 2) if n % 2 else (1,)) for n in range(6)]
    (factor,) = factors_of(dataset(cases, table=LabelTable.of("liver", "tumour")), ("label",))
    assert factor.kinds["p0"] == {"liver"}
    assert factor.kinds["p1"] == {"liver", "tumour"}


def test_a_number_is_parted_into_quarters_of_patients_by_their_mean() -> None:
    cases = [entry(n, f"p{n // 2:02d}", label="a", age=float(n)) for n in range(80)]
    (factor,) = factors_of(dataset(cases), ("age",))
    assert Counter(kind for kinds in factor.kinds.values() for kind in kinds) == {f"q{n}": 10 for n in range(4)}


def test_a_fact_that_is_another_one_for_each_patient_is_refused() -> None:
    cases = [entry(n, f"p{n}", bed=f"word {n}") for n in range(30)]
    with pytest.raises(SplitError, match="30 kinds in 30"):
        factors_of(dataset(cases), ("bed",))


def test_what_is_reported_is_what_was_drawn() -> None:
    cases = [entry(n, f"p{n // 3:02d}", label="sick" if n // 3 % 4 == 0 else "well") for n in range(120)]
    version, drawing = dataset(cases), Drawing(shares=(0.5, 0.3, 0.2), seed=2)
    factors = factors_of(version, ("label",))
    split = part(version, drawing, factors=factors)
    drawn = Dataset(name="d", entries=version.entries, table=None, split=split)
    everybody, sick, _well = parts_of(drawn, drawing, factors=factors)
    assert (sick.by, sick.kind) == ("label", "sick")
    for one, patients in ((everybody, {e.patient for e in cases}), (sick, {f"p{n:02d}" for n in range(0, 40, 4)})):
        counted = Counter(split.sides[patient] for patient in patients)
        assert one.patients == {side: counted[side] for side in SIDES}
        assert one.cases == {side: 3 * counted[side] for side in SIDES}
        wanted = {side: share * len(patients) for side, share in zip(SIDES, drawing.shares, strict=True)}
        assert one.missed == pytest.approx(max(abs(counted[side] - wanted[side]) for side in SIDES))


def test_on_real_radiographs_no_patient_is_on_two_sides_and_each_finding_has_its_share(shared_data: Path) -> None:
    """480 radiographs of NIH ChestX-ray14 with up to several findings each, some patients with many."""
    with (shared_data / "cxr_nih" / "metadata.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cases = [
        entry(n, row["Patient ID"], label=row["Finding Labels"], view=row["View Position"])
        for n, row in enumerate(rows)
    ]
    version, drawing = dataset(cases), Drawing()
    factors = factors_of(version, ("label", "view"))
    split = part(version, drawing, factors=factors)
    sides = defaultdict(set)
    for row in rows:
        sides[row["Patient ID"]].add(split.sides[row["Patient ID"]])
    assert all(len(on) == 1 for on in sides.values())
    drawn = Dataset(name="d", entries=version.entries, table=None, split=split)
    everybody, *kinds = parts_of(drawn, drawing, factors=factors)
    assert everybody.missed < 2.0
    views = [one for one in kinds if one.by == "view"]
    assert {one.kind for one in views} == {"AP", "PA"}
    assert all(one.missed < 2.0 for one in views)
    for finding in kinds:
        # a patient of several findings is dealt by the rarest of them, so the common ones follow less closely
        share = finding.patients["test"] / sum(finding.patients.values())
        assert sum(finding.patients.values()) < 20 or abs(share - 0.15) < 0.10, finding
