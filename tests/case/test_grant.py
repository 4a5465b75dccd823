"""What a source grants, day by day."""

import pytest

from isocenter.case import Grant
from isocenter.errors import InputError


def grant(**told: object) -> Grant:
    return Grant(**({"id": "ward-3", "basis": "broad consent"} | told))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "day", "state"),
    [
        ({}, "2099-01-01", "in force"),
        ({"expires": "2026-12-31"}, "2026-12-31", "in force"),
        ({"expires": "2026-12-31"}, "2027-01-01", "expired"),
        ({"withdrawn": "2026-11-02"}, "2026-11-01", "in force"),
        ({"withdrawn": "2026-11-02"}, "2026-11-02", "withdrawn"),
        ({"withdrawn": "2026-11-02", "expires": "2026-10-01"}, "2026-12-01", "withdrawn"),
    ],
)
def test_a_grant_holds_until_its_last_day_or_its_withdrawal(told: dict[str, str], day: str, state: str) -> None:
    assert grant(**told).state(day) == state


def test_only_the_uses_of_the_scope_are_granted() -> None:
    told = grant(scope=("training", "evaluation"))
    assert told.objection("training", day="2026-01-01") == ""
    assert "not sharing" in told.objection("sharing", day="2026-01-01")
    assert grant().objection("sharing", day="2026-01-01") == ""


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"id": "ward 3"}, "cannot name"),
        ({"id": ""}, "cannot name"),
        ({"id": "../x"}, "cannot name"),
        ({"scope": ("sharring",)}, "sharing"),
        ({"expires": "31.12.2026"}, "2026-12-31"),
        ({"withdrawn": "2026-02-30"}, "is no day"),
        ({"basis": ""}, "--licence"),
    ],
)
def test_what_cannot_be_is_refused_with_what_mends_it(told: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        grant(**told)


def test_a_grant_comes_back_from_its_document() -> None:
    told = grant(scope=("sharing",), expires="2030-01-01", terms="cite", name="Ward 3", origin="the clinic")
    assert Grant.from_document(told.to_document()) == told
