"""What was hashed is what was read, also where a file has lain still for long."""

import hashlib
import os
from pathlib import Path

import pytest

from isocenter.errors import FileError
from isocenter.intake.steady import read_steady, steady

LONG_AGO_NS = 1_500_000_000 * 10**9


@pytest.fixture
def settled(tmp_path: Path) -> Path:
    """Return a file that was last written years ago, and put into its folder just now."""
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    return path


def test_bytes_and_their_hash_come_from_one_reading(settled: Path) -> None:
    assert read_steady(settled, name="a") == (b"one", hashlib.sha256(b"one").hexdigest())


def test_a_file_that_keeps_still_is_yielded_with_its_hash(settled: Path) -> None:
    with steady(settled, name="a") as digest:
        assert digest == hashlib.sha256(b"one").hexdigest()


def replace_by_another(path: Path) -> None:
    other = path.with_name("b.png")
    other.write_bytes(b"two")
    os.utime(other, ns=(LONG_AGO_NS, LONG_AGO_NS))
    other.replace(path)


def test_another_file_of_the_same_size_and_time_in_its_place_is_told(settled: Path) -> None:
    with pytest.raises(FileError, match="a: the file changed while it was read"), steady(settled, name="a"):
        replace_by_another(settled)


def test_a_file_that_goes_away_while_it_is_read_is_told(settled: Path) -> None:
    with pytest.raises(FileError, match="a: cannot be read"), steady(settled, name="a"):
        settled.unlink()


@pytest.mark.parametrize("content", [b"", None])
def test_an_empty_or_missing_file_is_told(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileError, match=r"a: (the file has 0 bytes|cannot be read)"):
        read_steady(path, name="a")
