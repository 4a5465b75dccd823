"""A site's recipe is read whole, or refused with what is wrong in it."""

from pathlib import Path

import pytest

from isocenter.errors import FileError, InputError
from isocenter.intake.deid.profile.site import read_site

RECIPE = """
remove = ["(0018,1030)", "DeviceSerialNumber"]
words = ["Protokoll"]

[replace]
Manufacturer = "a maker"

[keep]
"(0010,1010)" = "ages are what the study asks"
"""


def written(text: str, folder: Path) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_recipe_is_read(tmp_path: Path) -> None:
    site = read_site(written(RECIPE, tmp_path))
    assert site.remove == {0x00181030, 0x00181000}
    assert site.replace == {0x00080070: "a maker"}
    assert site.keep == {0x00101010: "ages are what the study asks"}
    assert site.words == {"Protokoll"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("remove = [", "is no TOML"),
        ("keeps = []", "Did you mean 'keep'"),
        ("remove = 'PatientAge'", "must be a list"),
        ("remove = ['PatientAgee']", "names no attribute"),
        ("[keep]\nPatientAge = 1", "must give a text"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_site(written(text, tmp_path))


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"site\.toml cannot be read"):
        read_site(tmp_path / "site.toml")
