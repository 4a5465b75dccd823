"""Locked bytes open with their key, in their place, unchanged: or not at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.errors import FileError, InputError, SealError
from isocenter.security.cipher import Key, Lock

KEY = Key(raw=bytes(range(32)))
WAYS = ("aes-256-gcm", "sm4-gcm")


@pytest.mark.parametrize("way", WAYS)
@given(plain=st.binary(max_size=300), about=st.text(max_size=20))
def test_what_is_locked_opens_again(way: str, plain: bytes, about: str) -> None:
    lock = Lock(key=KEY, purpose="test", way=way)  # type: ignore[arg-type]
    assert lock.open(lock.lock(plain, about=about), about=about) == plain


@pytest.mark.parametrize("way", WAYS)
def test_any_changed_bit_is_found(way: str) -> None:
    lock = Lock(key=KEY, purpose="test", way=way)  # type: ignore[arg-type]
    locked = lock.lock(b"Canary", about="a")
    for place in range(len(locked)):
        changed = bytearray(locked)
        changed[place] ^= 1
        with pytest.raises(SealError):
            lock.open(bytes(changed), about="a")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("raw", "purpose", "about"), [(bytes(32), "test", "a"), (KEY.raw, "other", "a"), (KEY.raw, "test", "b")]
)
def test_another_key_purpose_or_place_does_not_open(way: str, raw: bytes, purpose: str, about: str) -> None:
    locked = Lock(key=KEY, purpose="test", way=way).lock(b"Canary", about="a")  # type: ignore[arg-type]
    with pytest.raises(SealError, match="does not open it"):
        Lock(key=Key(raw=raw), purpose=purpose, way=way).open(locked, about=about)  # type: ignore[arg-type]


def test_nothing_is_locked_the_same_way_twice() -> None:
    lock = Lock(key=KEY, purpose="test")
    assert lock.lock(b"Canary", about="a") != lock.lock(b"Canary", about="a")


@pytest.mark.parametrize("length", [0, 5, 12, 27])
def test_too_few_bytes_are_refused(length: int) -> None:
    for way in WAYS:
        with pytest.raises(SealError):
            Lock(key=KEY, purpose="test", way=way).open(bytes(length), about="a")  # type: ignore[arg-type]


def test_an_unknown_cipher_is_refused() -> None:
    with pytest.raises(InputError, match="Known: aes-256-gcm, sm4-gcm"):
        Lock(key=KEY, purpose="test", way="rot13")  # type: ignore[arg-type]


def test_a_key_is_written_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    KEY.write(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert Key.read(tmp_path / "key") == KEY


def test_a_key_is_never_written_over_another(tmp_path: Path) -> None:
    KEY.write(tmp_path / "key")
    with pytest.raises(FileError, match="never written over"):
        Key.create().write(tmp_path / "key")
    assert Key.read(tmp_path / "key") == KEY


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    KEY.write(tmp_path / "key")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(FileError, match="chmod 600"):
        Key.read(tmp_path / "key")


@pytest.mark.parametrize("text", ["", "hello", "isocenter-key-1:abcd", "isocenter-key-1:" + "zz" * 32])
def test_what_is_no_key_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(FileError, match="is no key"):
        Key.read(path)


def test_nothing_of_a_key_shows() -> None:
    assert "00" not in repr(KEY) + repr(Lock(key=KEY, purpose="test"))
