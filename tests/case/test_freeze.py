"""Who is one person, and who was frozen, by name or by image."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from isocenter.case import Dataset, Entry, Freeze, Split, frozen_among, persons_of


def entry(patient: str, *images: str, case: str = "") -> Entry:
    return Entry(
        id=case or f"{patient}-{'-'.join(images)}", patient=patient, volumes=dict(zip("abcd", images, strict=False))
    )


def freeze(*, patients: str = "", images: str = "") -> Freeze:
    return Freeze(
        dataset="d",
        version="v" * 64,
        patients=frozenset(patients.split()),
        images=frozenset(images.split()),
        purpose="why",
    )


holdings = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 15)), min_size=1, max_size=25)


@given(holdings)
def test_persons_are_the_components_of_who_shares_an_image(held: list[tuple[int, int]]) -> None:
    entries = [entry(f"p{patient:02d}", f"i{image}", case=str(place)) for place, (patient, image) in enumerate(held)]
    persons = persons_of(entries)
    rows, columns = np.array(held).T
    links = coo_matrix((np.ones(len(held)), (rows, columns + 20)), shape=(40, 40))
    _, labels = connected_components(links, directed=False)
    for one in rows:
        for other in rows:
            assert (persons[f"p{one:02d}"] == persons[f"p{other:02d}"]) == (labels[one] == labels[other])
    assert all(persons[person] == person for person in persons.values())


def test_a_frozen_patient_is_known_by_name_with_other_images() -> None:
    (found,) = frozen_among([entry("p1", "new"), entry("p2", "other")], [freeze(patients="p1", images="old")])
    assert (found.patient, found.sign, found.dataset) == ("p1", "name", "d")


def test_a_frozen_image_is_known_under_another_patient() -> None:
    (found,) = frozen_among([entry("alias", "old"), entry("p2", "other")], [freeze(patients="p1", images="old")])
    assert (found.patient, found.sign) == ("alias", "image")


def test_whoever_shares_an_image_with_a_frozen_patient_is_frozen_too() -> None:
    cases = [entry("p1", "x"), entry("alias", "x", "y"), entry("second", "y"), entry("free", "z")]
    found = {one.patient: one.sign for one in frozen_among(cases, [freeze(patients="p1")])}
    assert found == {"alias": "image", "p1": "name", "second": "image"}


def test_a_name_counts_before_an_image_whichever_was_frozen_first() -> None:
    both = [freeze(patients="p9", images="x"), freeze(patients="p1")]
    for freezes in (both, both[::-1]):
        (found,) = frozen_among([entry("p1", "x")], freezes)
        assert found.sign == "name"


def test_nobody_is_frozen_where_nothing_was() -> None:
    assert frozen_among([entry("p1", "x")], []) == ()
    assert frozen_among([entry("p1", "x")], [freeze(patients="p2", images="y")]) == ()


def test_a_freeze_holds_the_test_side_and_comes_back_from_its_document() -> None:
    split = Split(sides={"p1": "train", "p2": "validation", "p3": "test"}, folds={"p1": 0, "p2": 1})
    cases = (entry("p1", "x"), entry("p2", "y"), entry("p3", "z", "w"))
    made = Freeze.of(Dataset(name="d", entries=cases, table=None, split=split), purpose="the paper")
    assert (made.patients, made.images) == ({"p3"}, {"z", "w"})
    assert Freeze.from_document(made.to_document()) == made
