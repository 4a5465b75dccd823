"""Keys and envelopes: what holds, what a stranger's tools make of it, and that every byte counts."""

import base64
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.errors import SealError, StoreError
from isocenter.security import Keys, PublicKey, read_envelope, seal_statement

KEYS = Keys.create()
STATEMENT = b'{"_type":"https://in-toto.io/Statement/v1","subject":[]}'
ENVELOPE = seal_statement(STATEMENT, keys=KEYS)


def test_a_sealed_statement_comes_back() -> None:
    assert read_envelope(ENVELOPE, key=KEYS.public) == STATEMENT


@given(place=st.integers(0, len(ENVELOPE) - 1), bit=st.integers(0, 7))
def test_any_changed_bit_of_an_envelope_is_found(place: int, bit: int) -> None:
    changed = bytearray(ENVELOPE)
    changed[place] ^= 1 << bit
    with pytest.raises(SealError):
        read_envelope(bytes(changed), key=KEYS.public)


def test_another_keys_envelope_is_refused_and_both_keys_are_named() -> None:
    other = Keys.create()
    with pytest.raises(SealError, match=f"{KEYS.public.id[:16]}.*{other.public.id[:16]}"):
        read_envelope(ENVELOPE, key=other.public)


def test_the_same_envelope_in_other_words_is_refused() -> None:
    """Spaces, a second form of the same base64 or a second signature carry no meaning, so they may not be there."""
    document = json.loads(ENVELOPE)
    with pytest.raises(SealError, match="bytes were changed"):
        read_envelope(json.dumps(document, indent=1).encode(), key=KEYS.public)
    with pytest.raises(SealError):
        read_envelope(json.dumps({**document, "signatures": document["signatures"] * 2}).encode(), key=KEYS.public)


def test_openssl_checks_our_signature_and_says_our_fingerprint(tmp_path: Path) -> None:
    """The oracle: a stranger without isocenter, with the DSSE standard's encoding written out by hand."""
    document = json.loads(ENVELOPE)
    payload = base64.b64decode(document["payload"])
    kind = document["payloadType"].encode()
    said = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])
    (tmp_path / "said").write_bytes(said)
    (tmp_path / "sig").write_bytes(base64.b64decode(document["signatures"][0]["sig"]))
    (tmp_path / "signer.pem").write_bytes(KEYS.public.to_pem())
    words = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "signer.pem",
        "-rawin",
        "-in",
        "said",
        "-sigfile",
        "sig",
    ]
    assert b"Verified Successfully" in subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout
    der = ["openssl", "pkey", "-pubin", "-in", "signer.pem", "-outform", "DER"]
    told = subprocess.run(der, cwd=tmp_path, capture_output=True, check=True).stdout
    assert hashlib.sha256(told).hexdigest() == KEYS.public.id == document["signatures"][0]["keyid"]


def test_keys_come_back_from_their_files_and_sign_alike() -> None:
    again = Keys.read(signing=KEYS.signing_pem(), secret=KEYS.secret)
    assert again.sign(b"x") == KEYS.sign(b"x")  # Ed25519 is deterministic
    assert again.pseudonym("4711") == KEYS.pseudonym("4711")


def test_damaged_keys_say_what_mends_them() -> None:
    with pytest.raises(StoreError, match="backup"):
        Keys.read(signing=KEYS.signing_pem()[:-40], secret=KEYS.secret)
    with pytest.raises(StoreError, match="backup"):
        Keys.read(signing=KEYS.signing_pem(), secret=b"short")


@given(place=st.integers(0, len(KEYS.public.to_pem()) - 1), bit=st.integers(0, 7))
def test_any_changed_bit_of_a_public_key_gives_another_key_or_none(place: int, bit: int) -> None:
    changed = bytearray(KEYS.public.to_pem())
    changed[place] ^= 1 << bit
    try:
        other = PublicKey.from_pem(bytes(changed))
    except SealError:
        return
    with pytest.raises(SealError):
        read_envelope(ENVELOPE, key=other)


def test_a_key_of_another_kind_is_refused() -> None:
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "X25519"], capture_output=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=made, capture_output=True, check=True).stdout
    with pytest.raises(SealError, match="Ed25519"):
        PublicKey.from_pem(public)


def test_pseudonyms_are_words_that_differ_between_stores_and_people() -> None:
    one, two = Keys.create(), Keys.create()
    words = {keys.pseudonym(who) for keys in (one, two) for who in ("Canary^Yellow", "金丝雀")}
    assert len(words) == 4
    assert all(re.fullmatch(r"[a-z2-7]{16}", word) for word in words)


def test_keys_show_nothing_of_themselves() -> None:
    assert repr(KEYS) == "Keys()"
