"""What stands for a UID, a patient and a day."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.intake.deid.pseudonyms import Pseudonyms, moved
from isocenter.security.keyed import Keyed

ONE = Pseudonyms(Keyed(secret=bytes(32)).derive("one"))
TWO = Pseudonyms(Keyed(secret=bytes(32)).derive("two"))


def test_a_uid_is_valid_stable_and_of_its_project() -> None:
    uid = ONE.uid("1.2.276.0.7230010.3")
    assert re.fullmatch(r"2\.25\.[1-9]\d{0,38}", uid)
    assert len(uid) <= 64
    assert uid == ONE.uid("1.2.276.0.7230010.3") != TWO.uid("1.2.276.0.7230010.3")


def test_a_uid_of_the_standard_stays() -> None:
    assert ONE.uid("1.2.840.10008.5.1.4.1.1.2") == "1.2.840.10008.5.1.4.1.1.2"


def test_a_patient_has_one_name_in_a_project_and_another_in_the_next() -> None:
    assert ONE.patient("id:4711") == ONE.patient("id:4711") != TWO.patient("id:4711")
    assert re.fullmatch("[A-Z2-7]{16}", ONE.patient("id:4711"))


@given(st.text(min_size=1))
def test_days_go_back_by_one_to_ten_years(identity: str) -> None:
    assert 366 <= -ONE.days(identity) <= 3650


@pytest.mark.parametrize(
    ("value", "days", "becomes"),
    [
        ("20200301", -1, "20200229"),
        ("2020.03.01", -1, "20200229"),
        ("20200301101530.123456+0800", -366, "20190301101530.123456+0800"),
        ("202003", -365, "201903"),
        ("2020", -366, "2019"),
        ("202003011015", -1, "202002291015"),
        ("20201399", -1, None),
        ("Canary", -1, None),
        ("2020030", -1, None),
        ("", -1, None),
    ],
)
def test_dates_move_as_precise_as_they_were(value: str, days: int, becomes: str | None) -> None:
    assert moved(value, days) == becomes
