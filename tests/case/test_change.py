"""What changed between two versions: every change is found, and nothing where nothing changed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isocenter.case import Change, Dataset, Entry, Fact, Outline, Source, Split, changes_between, draw_split
from isocenter.image import LabelTable

Edit = Callable[[Dataset], Dataset]
TABLE = LabelTable.of("liver")


def dataset(count: int = 6) -> Dataset:
    entries = tuple(
        Entry(
            id=f"c{number}", patient=f"p{number}", volumes={"image": f"{number:064d}"},
            outlines=(Outline(reader="anna", digest="a" * 64, present=(1,)),),
            facts={"label": Fact(value="well"), "age": Fact(value=61.0, unit="a")},
        )
        for number in range(count)
    )  # fmt: skip
    split = draw_split({entry.patient: "" for entry in entries})
    return Dataset(name="livers", entries=entries, table=TABLE, split=split)


def edited(version: Dataset, of: str = "p0", **changed: object) -> Dataset:
    entries = (replace(one, **changed) if one.patient == of else one for one in version.entries)  # type: ignore[arg-type]
    return replace(version, entries=tuple(entries))


def outlined(**changed: object) -> Edit:
    def edit(version: Dataset) -> Dataset:
        first = next(entry for entry in version.entries if entry.patient == "p0")
        outline = replace(first.outlines[0], **changed)  # type: ignore[arg-type]
        return edited(version, outlines=(outline,))

    return edit


def without_last(version: Dataset) -> Dataset:
    split = version.split.without("p5") if version.split else None
    return replace(version, entries=tuple(one for one in version.entries if one.patient != "p5"), split=split)


def other_side(version: Dataset) -> Dataset:
    assert version.split is not None
    patient = min(version.split.patients("train") - {"p5"})
    folds = {one: fold for one, fold in version.split.folds.items() if one != patient}
    return replace(version, split=Split(sides={**version.split.sides, patient: "test"}, folds=folds))


def other_fold(version: Dataset) -> Dataset:
    assert version.split is not None
    patient = min(version.split.folds)
    folds = {**version.split.folds, patient: version.split.folds[patient] + 1}
    return replace(version, split=replace(version.split, folds=folds))


EDITS: dict[str, tuple[Edit, str]] = {
    "image": (lambda v: edited(v, volumes={"image": "f" * 64}), "image changed"),
    "role": (lambda v: edited(v, volumes={"image": "0" * 64, "t2": "e" * 64}), "image added"),
    "redrawn": (outlined(digest="b" * 64), "outline changed"),
    "how": (outlined(how="manual"), "outline noted"),
    "made on": (outlined(made_on="c" * 64), "outline noted"),
    "no outline": (lambda v: edited(v, "p1", outlines=()), "outline removed"),
    "fact": (lambda v: edited(v, facts={"label": Fact(value="sick"), "age": Fact(value=61.0, unit="a")}), "fact"),
    "fact gone": (lambda v: edited(v, facts={"label": Fact(value="well")}), "fact"),
    "unit": (lambda v: edited(v, facts={"label": Fact(value="well"), "age": Fact(value=61.0, unit="d")}), "fact"),
    "day": (lambda v: edited(v, day=3), "day"),
    "source": (lambda v: edited(v, source="ward-3"), "source"),
    "id": (lambda v: edited(v, id="renamed"), "renamed"),
    "removed": (without_last, "removed"),
    "table": (lambda v: replace(v, table=LabelTable.of("spleen")), "labels"),
    "terms": (lambda v: replace(v, source=Source(licence="CC0-1.0")), "terms"),
    "left out": (lambda v: replace(v, left_out=("one",)), "left out"),
    "moved": (other_side, "moved"),
    "fold": (other_fold, "fold"),
    "seed": (lambda v: replace(v, split=replace(v.split, seed=7)) if v.split else v, "seed"),
    "no split": (lambda v: replace(v, split=None), "moved"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_change_is_found_and_called_what_it_is(name: str) -> None:
    edit, kind = EDITS[name]
    before, after = dataset(), edit(dataset())
    assert before.id != after.id
    assert {change.kind for change in changes_between(before, after)} == {kind}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.sampled_from(sorted(EDITS)), max_size=4, unique=True))
def test_something_changed_exactly_where_the_ids_differ(names: list[str]) -> None:
    after = dataset()
    for name in names:
        after = after if after.split is None else EDITS[name][0](after)
    assert bool(changes_between(dataset(), after)) == (dataset().id != after.id)


def test_what_went_one_way_comes_back_the_other() -> None:
    before, after = dataset(6), dataset(4)
    gone = Counter(change.kind for change in changes_between(before, after))
    came = Counter(change.kind for change in changes_between(after, before))
    assert gone["removed"] == came["added"] == 2


def test_who_outlined_anew_is_named() -> None:
    before = dataset()
    bert = Outline(reader="bert", digest="d" * 64, present=(1,))
    after = edited(before, outlines=(*before.entries[0].outlines, bert))
    (change,) = changes_between(before, after)
    assert change == Change(kind="outline added", where="c0", what="bert", after="d" * 64)


def test_two_cases_alike_are_not_taken_for_renamed_ones() -> None:
    """Which became which cannot be told of two cases of one patient with the same image."""
    twin = replace(dataset().entries[0], id="twin")
    before = replace(dataset(), entries=(*dataset().entries, twin))
    after = replace(
        before, entries=tuple(replace(e, id=f"new-{e.id}") if e.patient == "p0" else e for e in before.entries)
    )
    kinds = Counter(change.kind for change in changes_between(before, after))
    assert kinds == {"added": 2, "removed": 2}


def test_a_case_given_to_another_patient_is_told() -> None:
    before = replace(dataset(), split=None)
    (change,) = changes_between(before, edited(before, patient="p1"))
    assert (change.kind, change.before, change.after) == ("patient", "p0", "p1")
