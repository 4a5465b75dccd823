"""Descriptions keep what is known to be harmless, and nothing else."""

import pytest

from isocenter.dicom.elements.element import Element
from isocenter.intake.deid.identity import identity_of
from isocenter.intake.deid.words import cleaned


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("T1 SE AX POST GD", "T1 SE AX POST GD"),
        ("t2_tse_tra_p2 5mm", "t2_tse_tra_p2 5mm"),
        ("CT ABDOMEN for John Canary", "CT ABDOMEN for"),
        ("Canary^Yellow", ""),
        ("胸部平扫 王小东", "胸部平扫"),
        ("王小东颅脑增强扫描", "颅脑增强扫描"),
        ("seen on 12/03/1985", "seen on"),
        ("12-03-85 CHEST", "CHEST"),
        ("CHEST at 14:03:59", "CHEST at"),
        ("2020年3月5日 复查", "复查"),
        ("tel. 555 123 4567 call", ""),
        ("b1000 ADC map", "b1000 ADC map"),
        ("4711001", ""),
        ("report by Dr. Stone", "report by"),
        ("C-SPINE LAT", "C-SPINE LAT"),
    ],
)
def test_known_words_stay(text: str, kept: str) -> None:
    assert cleaned(text) == kept


def test_an_ordinary_word_goes_where_it_is_somebodys_name() -> None:
    assert cleaned("HEAD routine", identity={"Head"}) == "routine"


def test_a_site_may_allow_words_of_its_own() -> None:
    assert cleaned("PROTOKOLL HEAD", more=frozenset({"protokoll"})) == "PROTOKOLL HEAD"


@pytest.mark.parametrize(
    ("said", "text", "is_met"),
    [
        ("Canary^Yellow", "for CANARY, knee", True),
        ("Canary^Yellow", "for canaries", False),
        ("Canary^Yellow", "seen_by_canary_today", True),
        ("O'Neil^Ann", "MRS O'NEIL", True),
        ("O'Neil^Ann", "neilson", False),
        ("Müller^Ann", "Dr. MÜLLER", True),
        ("王^小明", "复查：王小明，男", True),
        ("王^小明", "knee", False),
        ("Kelvin^Ann", "\u212aelvin", True),  # a letter that only looks like K
    ],
)
def test_a_name_is_met_as_a_word_of_its_own_and_chinese_anywhere(said: str, text: str, is_met: bool) -> None:
    identity = identity_of([Element(0x00080005, "CS", b"ISO_IR 192"), Element(0x00100010, "PN", said.encode())])
    assert identity.is_met_in(text) is is_met
