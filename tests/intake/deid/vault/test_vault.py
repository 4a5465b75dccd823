"""A vault opens with its key alone, remembers who asked, and keeps its pseudonyms under a new key."""

import json
from pathlib import Path

import pytest

from isocenter.errors import NotFoundError, SealError, StoreError
from isocenter.intake.deid.vault.people import Person
from isocenter.intake.deid.vault.vault import Vault
from isocenter.security.cipher import Key

KEY, OTHER = Key(raw=bytes(range(32))), Key(raw=bytes(range(1, 33)))
CANARY = Person(
    pseudonym="ABCD2345", project="birds", known_as={"name": ("Canary Yellow", "金丝雀"), "id": ("4711001",)},
    studies={"2.25.1": "1.2.3"},
)  # fmt: skip


@pytest.fixture(params=["aes-256-gcm", "sm4-gcm"])
def vault(tmp_path: Path, request: pytest.FixtureRequest) -> Vault:
    digest = "sha256" if request.param == "aes-256-gcm" else "sm3"
    return Vault.make(tmp_path / "vault", key=KEY, who="marta", way=request.param, digest=digest)  # type: ignore[arg-type]


def test_a_person_is_found_by_any_name(vault: Vault) -> None:
    vault.people.keep(CANARY)
    again = Vault.open(vault.folder, key=KEY)
    for asked in ("ABCD2345", "Canary Yellow", "金丝雀", "4711001"):
        assert again.people.find(asked) == (CANARY,)


def test_nobody_is_named_on_the_disk(vault: Vault) -> None:
    vault.people.keep(CANARY)
    vault.runs.put("run1", "found.json", b"Canary Yellow")
    for path in vault.folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert b"anary" not in raw
            assert b"4711001" not in raw


def test_what_two_runs_met_is_one_person(vault: Vault) -> None:
    vault.people.keep(CANARY)
    vault.people.keep(
        Person(pseudonym="ABCD2345", project="birds", known_as={"id": ("B7",)}, studies={"2.25.2": "1.3"})
    )
    (found,) = vault.people.find("B7")
    assert found.known_as["id"] == ("4711001", "B7")
    assert found.studies == {"2.25.1": "1.2.3", "2.25.2": "1.3"}


def test_another_key_opens_nothing(vault: Vault) -> None:
    with pytest.raises(SealError, match="does not open it"):
        Vault.open(vault.folder, key=OTHER)


def test_who_is_erased_is_gone_for_good(vault: Vault) -> None:
    vault.people.keep(CANARY)
    vault.people.erase("ABCD2345")
    with pytest.raises(NotFoundError):
        vault.people.find("4711001")
    with pytest.raises(NotFoundError):
        vault.people.erase("ABCD2345")


def test_a_new_key_changes_no_pseudonym(vault: Vault) -> None:
    vault.people.keep(CANARY)
    vault.runs.put("run1", "found.json", b"[]")
    before = vault.pseudonyms("birds").patient("4711001")
    vault.rotate(OTHER, who="marta")
    again = Vault.open(vault.folder, key=OTHER)
    assert again.pseudonyms("birds").patient("4711001") == before
    assert again.people.find("4711001") == (CANARY,)
    assert list(again.runs.archives("run1")) == [b"[]"]
    assert [line.deed for line in again.log.lines()] == ["made", "rotated"]
    with pytest.raises(SealError):
        Vault.open(vault.folder, key=KEY)
    assert not list(vault.folder.parent.glob(".*"))


def test_a_vault_is_not_made_over_another(vault: Vault) -> None:
    with pytest.raises(StoreError, match="exists"):
        Vault.make(vault.folder, key=OTHER, who="marta")


def test_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no vault"):
        Vault.open(tmp_path, key=KEY)


def test_questions_are_written_down(vault: Vault) -> None:
    vault.log.note("found", about="ABCD2345", purpose="a finding that the ward must know", who="wei")
    *_, last = Vault.open(vault.folder, key=KEY).log.lines()
    assert (last.who, last.deed, last.purpose) == ("wei", "found", "a finding that the ward must know")


@pytest.mark.parametrize("harm", ["change", "remove first", "remove last", "remove all", "add"])
def test_no_line_of_the_log_can_be_changed_unseen(vault: Vault, harm: str) -> None:
    for number in range(3):
        vault.log.note("found", about=f"P{number}", purpose="care", who="wei")
    path = vault.folder / "log.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    changed = {
        "change": [*lines[:2], lines[2].replace("care", "cars"), *lines[3:]],
        "remove first": lines[1:], "remove last": lines[:-1], "remove all": [], "add": [*lines, lines[-1]],
    }  # fmt: skip
    path.write_text("".join(changed[harm]))
    with pytest.raises(SealError, match="log"):
        Vault.open(vault.folder, key=KEY)


def test_a_line_whose_writing_was_cut_off_before_it_was_counted_does_no_harm(vault: Vault) -> None:
    head = (vault.folder / "log.head").read_bytes()
    vault.log.note("found", about="P", purpose="care", who="wei")
    (vault.folder / "log.head").write_bytes(head)
    assert len(Vault.open(vault.folder, key=KEY).log.lines()) == 2


def test_evidence_of_one_run_is_none_of_another(vault: Vault) -> None:
    vault.runs.put("run1", "found.json", b"[]")
    other = vault.folder / "evidence" / "run2"
    other.mkdir()
    (vault.folder / "evidence" / "run1" / "found.json.locked").rename(other / "found.json.locked")
    with pytest.raises(SealError):
        list(vault.runs.archives("run2"))
    with pytest.raises(NotFoundError):
        list(vault.runs.archives("run1"))


def test_a_changed_description_is_found(vault: Vault) -> None:
    path = vault.folder / "vault.json"
    about = json.loads(path.read_text())
    about["secret"] = about["secret"][:-2] + "00"
    path.write_text(json.dumps(about))
    with pytest.raises(SealError):
        Vault.open(vault.folder, key=KEY)


@pytest.mark.parametrize("name", ["../x", "", "a b"])
def test_no_name_leads_out_of_the_vault(vault: Vault, name: str) -> None:
    with pytest.raises(NotFoundError):
        vault.people.erase(name)
