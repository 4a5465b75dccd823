"""Codes that only the holder of a secret can make."""

import hashlib
import hmac

import pytest

from isocenter.errors import InputError
from isocenter.security.keyed import Keyed

SECRET = bytes(range(32))


def test_sha256_codes_are_those_of_the_standard_library() -> None:
    expected = hmac.new(SECRET, b"uid\x001.2.3", hashlib.sha256).digest()
    assert Keyed(secret=SECRET).code("uid", "1.2.3") == expected


def test_sm3_codes_are_others() -> None:
    assert Keyed(secret=SECRET, digest="sm3").code("uid", "1.2.3") != Keyed(secret=SECRET).code("uid", "1.2.3")


def test_projects_cannot_be_linked() -> None:
    keyed = Keyed(secret=SECRET)
    assert keyed.derive("a").code("patient", "4711") != keyed.derive("b").code("patient", "4711")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InputError, match="no secret"):
        Keyed(secret=b"secret")


def test_an_unknown_hash_is_refused() -> None:
    with pytest.raises(InputError, match="Known: sha256, sm3"):
        Keyed(secret=SECRET, digest="md5")  # type: ignore[arg-type]


def test_nothing_of_the_secret_shows() -> None:
    assert "secret" not in repr(Keyed(secret=SECRET))
