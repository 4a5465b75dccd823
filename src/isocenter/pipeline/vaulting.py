"""The vault's door: who stands behind a pseudonym, by key and with a purpose, and how somebody is forgotten."""

from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from isocenter.case import Dataset
from isocenter.errors import InputError, NotFoundError
from isocenter.intake.deid.found import sources_in, without_patient, write_found
from isocenter.intake.deid.vault.vault import Vault
from isocenter.pipeline.ground import Place, dataset_item, now, opened, seal
from isocenter.pipeline.predictions import whole_folder
from isocenter.pipeline.public import document
from isocenter.result import Item
from isocenter.security.cipher import Key, Way
from isocenter.security.keyed import Digest
from isocenter.store import Store
from isocenter.store.locks import account

_DIGESTS: Mapping[str, Digest] = {"aes-256-gcm": "sha256", "sm4-gcm": "sm3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vaulted:
    """What the vault said, or what was done with it.

    Args:
        deed: "opened", "found", "erased" or "rotated".
        fields: What belongs to that.
    """

    deed: str
    vault: Path
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the public document of a command of `vault`."""
        return document("vault", deed=self.deed, vault=str(self.vault), **self.fields)


def opened_vault(vault: Path | None, key: Path | None) -> Vault:
    """Return the vault that was named, opened with the key that was named.

    Raises:
        InputError: One of them was not named.
        NotFoundError, FileError, SealError: There is no such vault, or the key is none, or not its own.
    """
    if vault is None or key is None:
        missing = "--vault (or ISOCENTER_VAULT)" if vault is None else "--key (or ISOCENTER_VAULT_KEY)"
        raise InputError(
            f"Name the vault that identities are kept in, and the file with its key: {missing} is missing."
        )
    return Vault.open(Path(vault), key=Key.read(Path(key)))


def open_vault(
    vault: Path,
    *,
    key: Path,
    new: bool = False,
    cipher: str = "aes-256-gcm",
    run: str = "",
    found: Path | None = None,
) -> Vaulted:
    """Open a vault: check its key and its log, and say what was asked of it; or make a new one, with a new key.

    Args:
        vault: Its folder.
        key: The file with its key; with `new`, where the new key is written, which must be outside of the vault.
        new: Make it.
        cipher: Of a new vault: "aes-256-gcm", or "sm4-gcm" with SM3.
        run: Id of a run of `deid`: say which file had which number there.
        found: A folder that is not there yet, for what that run blanked: texts, and pictures of what was there.

    Raises:
        NotFoundError: There is none, or it knows no such run.
        InputError: There is no such cipher, the key would lie in what it locks, or no run was named.
        FileError, StoreError: The key, the vault or the folder cannot be written.
        SealError: The key is not its own, or something of it was changed.
    """
    vault, key = Path(vault), Path(key)
    if found is not None and not run:
        raise InputError("Name the run of `deid` whose findings are to be written: --run. Its id is in evidence.json.")
    if new:
        _make(vault, key=key, cipher=cipher)
    safe = opened_vault(vault, key)
    sources = _sources(safe, run, found) if run else []
    lines = [asdict(line) for line in safe.log.lines()]
    told = {"people": sum(1 for _ in safe.people), "cipher": safe.lock.way, "log": lines, "sources": sources}
    return Vaulted(deed="opened", vault=vault, fields=told)


def _sources(safe: Vault, run: str, folder: Path | None) -> list[dict[str, Any]]:
    """Return which file had which number in a run, and write what was blanked in it; both are written down first."""
    purpose = "which file had which number" if folder is None else "what was blanked"
    safe.log.note("found", about=f"run {run}", purpose=purpose, who=account())
    sources: dict[int, str] = {}
    with nullcontext() if folder is None else whole_folder(Path(folder)) as aside:
        if aside is not None:
            aside.chmod(0o700)  # what it holds names persons
        for archive in safe.runs.archives(run):
            sources |= sources_in(archive)
            if aside is not None:
                write_found(archive, aside)
    return [{"number": number, "source": name} for number, name in sorted(sources.items())]


def find_person(vault: Path, word: str, *, key: Path, purpose: str) -> Vaulted:
    """Say who stands behind a pseudonym, or which pseudonym somebody has; the question is written down first.

    Args:
        vault: Its folder.
        word: A pseudonym; or a name or number as it was written in the source.
        key: The file with its key.
        purpose: Why; it is kept with your account and the time.

    Raises:
        InputError: No purpose.
        NotFoundError: There is no such vault, or nobody of that name.
        SealError: The key is not its own, or something of it was changed.
    """
    safe, why = opened_vault(vault, key), _purposed(purpose)
    found = safe.people.find(word)
    for person in found:
        safe.log.note("found", about=person.pseudonym, purpose=why, who=account())
    return Vaulted(deed="found", vault=Path(vault), fields={"people": [asdict(person) for person in found]})


def erase_person(vault: Path, pseudonym: str, *, key: Path, purpose: str, store: Place = None) -> Vaulted:
    """Forget a person: in the vault, and in every version of every data set; say which models have seen them.

    Models are not changed: what they learnt cannot be taken out of them. Each is named, for somebody to decide.

    Args:
        vault: Its folder.
        pseudonym: Of the person.
        key: The file with the vault's key.
        purpose: Why, such as a withdrawn consent; it is kept with your account and the time.
        store: Whose data sets may hold the person's cases.

    Raises:
        InputError: No purpose.
        NotFoundError: There is no such vault, or no such person in it.
        SealError: The key is not its own, or something was changed.
        StoreError: Another process is at work on the store.
    """
    safe, why = opened_vault(vault, key), _purposed(purpose)
    safe.people.require(pseudonym)
    with opened(store) as house, house.alone():
        versions, models = _forgotten(house, house.keys.pseudonym(pseudonym))
    safe.log.note("erased", about=pseudonym, purpose=why, who=account())
    safe.runs.change(partial(without_patient, patient=pseudonym))
    safe.people.erase(pseudonym)
    told = {"pseudonym": pseudonym, "versions": versions, "models": models}
    return Vaulted(deed="erased", vault=Path(vault), fields=told)


def rotate_vault(vault: Path, *, key: Path, new_key: Path) -> Vaulted:
    """Lock a vault with a new key; the old one opens nothing of it any more, and pseudonyms stay.

    Args:
        vault: Its folder.
        key: The file with its key.
        new_key: Where the new key is written.

    Raises:
        NotFoundError, SealError: There is no such vault, or the key is not its own.
        FileError, StoreError: The key or the vault cannot be written; the vault is as it was.
    """
    safe = opened_vault(vault, key)
    fresh = _written_key(Path(new_key), vault=Path(vault))
    safe.rotate(fresh, who=account())
    return Vaulted(deed="rotated", vault=Path(vault), fields={"key": str(new_key)})


def _make(vault: Path, *, key: Path, cipher: str) -> None:
    if cipher not in _DIGESTS:
        raise InputError(f"There is no cipher {cipher!r}. Known: {', '.join(_DIGESTS)}.")
    fresh = _written_key(key, vault=vault)
    with ExitStack() as undo:
        undo.callback(key.unlink)  # a key that locks nothing would only be mistaken for one that does
        Vault.make(vault, key=fresh, who=account(), way=cast("Way", cipher), digest=_DIGESTS[cipher])
        undo.pop_all()


def _written_key(key: Path, *, vault: Path) -> Key:
    if vault.resolve() in key.resolve().parents:
        raise InputError("The key would lie in the vault that it locks. Keep it elsewhere, best on another machine.")
    fresh = Key.create()
    fresh.write(key)
    return fresh


def _purposed(purpose: str) -> str:
    if not purpose.strip():
        raise InputError("Say why with --purpose; it is kept with your account and the time.")
    return purpose.strip()


def _forgotten(house: Store, patient: str) -> tuple[list[str], list[str]]:
    """Take a patient's cases out of every version; return the versions that held them, and models that learnt there."""
    held = []
    for row in house.datasets.rows():
        version = house.datasets.get(row.id)
        if any(entry.patient == patient for entry in version.entries):
            held.append(row.id)
            _replace(house, replace(version, name=row.name), patient)
    seen = [row.id for row in house.models.rows() if row.dataset in held]
    return held, seen


def _replace(house: Store, version: Dataset, patient: str) -> None:
    """Put a version without a patient in the place of one with; where nobody else is in it, it only goes."""
    entries = tuple(entry for entry in version.entries if entry.patient != patient)
    made = dataset_item(house, version)
    if entries:
        split = None if version.split is None else version.split.without(patient)
        new = replace(version, entries=entries, split=split)
        seal(house, "erase", inputs=(made,), outputs=(Item(name=f"dataset:{new.name}", digest=new.id),))
        house.datasets.save(new, at=now())
    seal(house, "remove", inputs=(made,), outputs=())
    try:
        house.datasets.remove(version.id)
    except NotFoundError:  # the same version under a second name went with the first
        return
