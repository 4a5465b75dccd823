"""The table of the standard, its options, and what a site may add."""

import pytest

from isocenter.errors import InputError
from isocenter.intake.deid.profile.options import OPTIONS
from isocenter.intake.deid.profile.profile import Profile, Site, tag_named
from isocenter.intake.deid.profile.table import ODD, rows, safe_private, types

CT = "1.2.840.10008.5.1.4.1.1.2"
RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
ACTIONS = {"D", "Z", "X", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"}


def test_the_table_is_whole() -> None:
    found = rows()
    assert len(found) == 656
    assert {row.basic for row in found} == ACTIONS
    assert {action for row in found for action in row.options.values()} == {"K", "C"}
    assert {option for row in found for option in row.options} < set(OPTIONS)
    assert len({row.tag for row in found}) == len(found)
    assert all(row.name for row in found)


@pytest.mark.parametrize(
    ("tag", "vr", "words", "action"),
    [
        (0x00100010, "PN", ["basic"], "Z"),
        (0x00100030, "DA", ["basic"], "Z"),
        (0x00101010, "AS", ["basic"], "X"),
        (0x00101010, "AS", ["retain-patient-characteristics"], "K"),
        (0x00081030, "LO", ["basic"], "X"),
        (0x00081030, "LO", ["clean-descriptors"], "C"),
        (0x0020000D, "UI", ["basic"], "U"),
        (0x0020000D, "UI", ["retain-uids"], "K"),
        (0x00080020, "DA", ["retain-full-dates"], "K"),
        (0x00080020, "DA", ["retain-modified-dates"], "C"),
        (0x00080080, "LO", ["retain-institution-identity"], "K"),
        (0x60003000, "OW", ["basic"], "X"),
        (0x60163000, "OW", ["basic"], "X"),
        (0x50050010, "OW", ["basic"], "X"),
        (0x00180050, "DS", ["basic"], "K"),
        # not listed: by kind
        (0x00142006, "PN", ["basic"], "Z"),
        (0x00141020, "DA", ["basic"], "Z"),
        (0x00141020, "DA", ["retain-full-dates"], "K"),
        (0x00400400, "LT", ["basic"], "C"),
        (0x00200242, "UI", ["basic"], "U"),
        (0x0008010C, "UI", ["basic"], "K"),
    ],
)
def test_an_attribute_gets_the_action_of_the_table(tag: int, vr: str, words: list[str], action: str) -> None:
    assert Profile.of(words).action(tag, vr, sop_class=CT) == action


@pytest.mark.parametrize(
    ("tag", "where", "within", "action"),
    [
        (0x00080021, CT, 0, "X"),  # Series Date: type 3 in a CT
        (0x300A0006, RT_PLAN, 0, "D"),  # RT Plan Date: type 2, X/D
        (0x00080022, CT, 0, "X"),
        (0x00080080, CT, 0, "X"),
        (0x00080080, CT, 0x00080096, "D"),  # type 1C where a physician is identified
        (0x00080080, "1.2.3.4", 0, "D"),  # a class that nobody knows: as strict as any
    ],
)
def test_what_must_stay_depends_on_the_object(tag: int, where: str, within: int, action: str) -> None:
    assert Profile.of(["basic"]).action(tag, "LO", sop_class=where, within=within) == action


def test_every_class_of_the_types_table_is_a_class() -> None:
    assert {CT, RT_PLAN, "*"} < set(types())


def test_safe_private_attributes_are_those_of_the_standard() -> None:
    assert len(safe_private()) == 130
    assert safe_private()[0x0019, 0x0C, "SIEMENS MR HEADER"] == "IS"


def test_the_basic_profile_is_always_part_of_it() -> None:
    assert Profile.of(["clean-graphics"]).options == ("basic", "clean-graphics")


def test_an_option_that_there_is_not_is_refused_with_one_that_is_near() -> None:
    with pytest.raises(InputError, match="Did you mean 'clean-descriptors'"):
        Profile.of(["clean-descriptor"])


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InputError, match="contradict each other"):
        Profile.of(["retain-full-dates", "retain-modified-dates"])


def test_a_site_may_remove_more_and_replace() -> None:
    site = Site(remove=frozenset({0x00180050}), replace={0x00080070: "a maker"})
    profile = Profile.of(["basic"], site=site)
    assert profile.action(0x00180050, "DS") == "X"
    assert profile.action(0x00080070, "LO") == "D"


def test_a_site_weakens_the_profile_only_with_a_reason() -> None:
    with pytest.raises(InputError, match="without a reason"):
        Profile.of(["basic"], site=Site(keep={0x00081030: " "}))
    assert Profile.of(["basic"], site=Site(keep={0x00081030: "checked by hand"})).action(0x00081030, "LO") == "K"


def test_a_site_that_says_two_things_is_refused() -> None:
    with pytest.raises(InputError, match=r"two things about \(0008,1030\)"):
        Profile.of(["basic"], site=Site(keep={0x00081030: "why"}, remove=frozenset({0x00081030})))


@pytest.mark.parametrize("text", ["(0008,1030)", "00081030", "0008,1030", "StudyDescription"])
def test_a_tag_is_named_in_any_usual_way(text: str) -> None:
    assert tag_named(text) == 0x00081030


def test_a_name_of_no_attribute_is_refused() -> None:
    with pytest.raises(InputError, match="names no attribute"):
        tag_named("StudyDescribtion")


def test_private_attributes_are_a_row_of_the_table() -> None:
    assert any(row.tag == ODD and row.basic == "X" for row in rows())
