"""Which sequence the name of a role says."""

import pytest

from isocenter.case.role import is_other_role, sequence_in


@pytest.mark.parametrize(
    ("words", "sequence"),
    [
        ("T1w", "t1"), ("t1w_ce_gd", "t1ce"), ("t1gd", "t1ce"), ("t1_2", "t1"), ("FLAIR", "flair"),
        ("Ax T2 FLAIR", "flair"), ("t2w", "t2"), ("dwi_b_value_1000", "dwi"), ("image", ""), ("ct", ""), ("mr", ""),
    ],
)  # fmt: skip
def test_a_role_names_its_sequence(words: str, sequence: str) -> None:
    assert sequence_in(words) == sequence


def test_a_contrast_agent_counts_for_t1_only() -> None:
    assert (sequence_in("t1", with_contrast=True), sequence_in("t2", with_contrast=True)) == ("t1ce", "t2")


def test_a_role_that_names_no_sequence_may_be_any() -> None:
    assert is_other_role("t1", than="flair")
    assert is_other_role("t1w", than="t1ce")
    assert not is_other_role("t1w", than="t1")
    assert not is_other_role("image", than="t1")
