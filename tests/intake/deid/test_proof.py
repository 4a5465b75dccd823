"""The second look finds what the first one missed, and does not cry where nothing is."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from isocenter.dicom.elements.file import read_file, write_file
from isocenter.intake.deid.headers import clean_headers
from isocenter.intake.deid.identity import identity_of
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.proof.bound import upper_bound
from isocenter.intake.deid.proof.headers import wrong_elements
from isocenter.intake.deid.proof.raw import words_left
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.security.keyed import Keyed

WORDS = ("clean-descriptors", "retain-modified-dates", "retain-safe-private")


def named(folder: Path) -> Path:
    """Write a CT slice of somebody."""
    made = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    made.SpecificCharacterSet = "GB18030"
    made.PatientName, made.PatientID, made.PatientBirthDate = "Canary^Yellow=金^丝雀", "4711001", "19850312"
    path = folder / "was.dcm"
    made.save_as(path)
    return path


@pytest.mark.parametrize("words", [(), WORDS])
def test_what_was_cleaned_stands_the_second_look(words: tuple[str, ...], tmp_path: Path) -> None:
    was, now, profile = named(tmp_path), tmp_path / "now.dcm", Profile.of(words)
    cleaned = clean_headers(read_file(was), profile=profile, pseudonyms=Pseudonyms(Keyed(secret=bytes(32))))
    write_file(cleaned.file, now)
    assert wrong_elements(was, now, profile=profile) == ()
    assert words_left(now, cleaned.identity) == ()


def test_what_was_not_cleaned_does_not(tmp_path: Path) -> None:
    was = named(tmp_path)
    found = wrong_elements(was, was, profile=Profile.of(()))
    for name in ("Patient's Birth Date (0010,0030)", "Study Description (0008,1030)", "SOP Instance UID (0008,0018)"):
        assert any(name in one for one in found), name
    assert not any("Canary" in one for one in found)
    assert {"Canary", "Yellow", "4711001", "19850312"} <= set(words_left(was, identity_of(read_file(was).elements)))


@pytest.mark.parametrize(
    ("word", "encoding"),
    [("Canary", "ascii"), ("CANARY", "ascii"), ("金丝雀", "utf-8"), ("金丝雀", "gb18030"), ("Canary", "utf-16-le")],
)
def test_a_word_is_found_in_any_encoding(word: str, encoding: str, tmp_path: Path) -> None:
    identity = identity_of(read_file(named(tmp_path)).elements)
    path = tmp_path / "any.bin"
    path.write_bytes(b"\1\2 " + word.encode(encoding) + b" \3")
    assert words_left(path, identity)


def test_no_word_is_met_in_pixels_by_chance(tmp_path: Path) -> None:
    path = named(tmp_path)
    made = pydicom.dcmread(path)
    made.PatientName, made.PatientID = "Li^Bo", "12345"
    made.save_as(path)
    identity = identity_of(read_file(path).elements)
    noise = np.random.default_rng(0).integers(0, 256, 4 << 20, dtype=np.uint8).tobytes()
    (tmp_path / "now.dcm").write_bytes(b"\xe0\x7f\x10\x00OW" + noise)
    assert words_left(tmp_path / "now.dcm", identity) == ()


@pytest.mark.parametrize(
    ("found", "of", "bound"), [(0, 3000, 0.000998), (0, 59, 0.0495), (1, 100, 0.0466), (0, 0, 1.0), (5, 5, 1.0)]
)
def test_bounds_are_exact(found: int, of: int, bound: float) -> None:
    assert upper_bound(found, of) == pytest.approx(bound, rel=0.01)
