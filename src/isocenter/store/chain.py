"""From a thing back to its sources, receipt by receipt: each link holds, or the walk ends there and says why."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from isocenter.errors import FileError, InputError, NotFoundError, SealError
from isocenter.models.model import MANIFEST, read_model
from isocenter.result import Receipt
from isocenter.store.evidence import FolderEvidence, StoreEvidence, sha256_of
from isocenter.store.receipts import FOLDER
from isocenter.store.store import Store

_PREDICTION = "prediction.json"


_SHORTEST_KEY = 32  # hex digits: 128 bits, which nobody can meet by trying keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One step of the chain that holds.

    Args:
        step: The pipeline's step, such as "train".
        says: What was checked, in words.
        count: Files and blobs that were hashed again for this link.
        receipt: Digest of the receipt that was checked.
    """

    step: str
    says: str
    count: int
    receipt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A chain that holds, the newest link first.

    Args:
        thing: What was asked for.
        key: Fingerprint of the key that signed every link. Whoever got the thing from elsewhere compares it with the
            one that its sender says aloud: a forger can make a chain that holds, but not with that key.
        is_own: The key is that of the store at hand.
    """

    thing: str
    key: str
    is_own: bool
    links: tuple[Link, ...]


class Evidence(Protocol):
    """Where receipts and bytes are found: a store, or a folder that was handed on."""

    def receipt(self, digest: str) -> Receipt:
        """Return a receipt whose signature and digest hold."""

    def look(self, name: str, digest: str) -> int | None:
        """Return how many files were hashed again for a thing; None where it is not kept here."""


def walk(thing: str | Path, *, store: Store | None = None, key: str = "") -> Walk:
    """Check a thing and everything behind it: signatures, digests, and every byte that is kept.

    Args:
        thing: A path (folder of a prediction, a file in it, folder of a model), or, in the store, a data set by name
            or id, a model, a run, or a receipt by its digest.
        store: Where models and data sets are looked for; None checks a prediction's folder by itself.
        key: Fingerprint of the key that must have signed, at least 32 digits of it, in any case, with or without
            colons; empty takes any key, which the walk then names.

    Raises:
        NotFoundError: There is no such thing.
        InputError: A fingerprint so short that somebody could make a key that begins so.
        SealError: A link does not hold; the message says which one, and why.
    """
    evidence, starts = _start(thing, store)
    named = key.replace(":", "").strip().lower()
    if named and len(named) < _SHORTEST_KEY:
        raise InputError(
            f"{len(named)} digits of a fingerprint prove nothing; give at least {_SHORTEST_KEY} of its 64."
        )
    if not evidence.key.id.startswith(named):
        raise SealError(f"{thing} was signed by key {evidence.key.id}, not by the one that was named, {key}.")
    is_own = store is not None and evidence.key == store.receipts.key
    return Walk(thing=str(thing), key=evidence.key.id, is_own=is_own, links=_follow(starts, evidence))


def _follow(starts: tuple[str, ...], evidence: Evidence) -> tuple[Link, ...]:
    """Return the links from receipts back to their sources, breadth first; each receipt is checked once."""
    links: list[Link] = []
    queue, known = deque(starts), set(starts)
    step = "the newest receipt"
    while queue:
        digest = queue.popleft()
        try:
            receipt = evidence.receipt(digest)
            step = receipt.step
            links.append(_link(receipt, digest, evidence))
        except NotFoundError as error:
            raise SealError(f"Link {len(links) + 1} (behind {step}): receipt {digest[:16]}… is gone.") from error
        except (SealError, FileError) as error:
            raise SealError(f"Link {len(links) + 1} ({step}, receipt {digest[:16]}…): {error}") from error
        behind = dict.fromkeys(item.receipt for item in receipt.inputs if item.receipt)
        queue += [one for one in behind if one not in known]
        known |= set(behind)
    return tuple(links)


def _link(receipt: Receipt, digest: str, evidence: Evidence) -> Link:
    looked = [evidence.look(item.name, item.digest) for item in receipt.outputs]
    made = {one: evidence.receipt(one) for one in {item.receipt for item in receipt.inputs if item.receipt}}
    outputs = {one: {output.digest for output in behind.outputs} for one, behind in made.items()}
    for item in receipt.inputs:
        if item.receipt and item.digest not in outputs[item.receipt]:
            raise SealError(
                f"it says that {item.name} was made in step {made[item.receipt].step!r}, whose receipt knows no such "
                "thing."
            )
    sources = sum(not item.receipt for item in receipt.inputs)
    count = sum(number or 0 for number in looked)
    says = [f"signature and digest hold; {count} files hashed again"]
    says += [f"{looked.count(None)} of {len(looked)} outputs are not kept here"] if None in looked else []
    says += [f"{sources} sources"] if sources else []
    failed = [check.name for check in receipt.checks if not check.held]
    says += [f"{len(receipt.checks)} checks, not held: {', '.join(failed) or 'none'}"] if receipt.checks else []
    return Link(step=receipt.step, says="; ".join(says), count=count, receipt=digest)


def _start(thing: str | Path, store: Store | None) -> tuple[FolderEvidence | StoreEvidence, tuple[str, ...]]:
    """Return where to look and which receipts to begin with."""
    path = Path(thing)
    folder = path if path.is_dir() else path.parent
    if path.exists() and (folder / FOLDER).is_dir():
        handed = FolderEvidence(folder, store=store)
        return handed, handed.heads() if path.is_dir() else (handed.maker(path),)
    if (path / _PREDICTION).is_file():
        raise SealError(f"{path.name} holds a prediction without its receipts: their folder, {FOLDER}, is gone.")
    if store is None:
        raise NotFoundError(f"{thing} is nothing with receipts beside it; a name is looked for in a store.")
    # a folder of the same name as a data set is not meant, unless it can be what was asked for
    if path.is_file() or (path / MANIFEST).is_file():
        digest = read_model(path).id if path.is_dir() else sha256_of(path)
        return StoreEvidence(store), (_maker(digest, path.name, store),)
    return StoreEvidence(store), (_named(str(thing), store),)


def _named(thing: str, store: Store) -> str:
    for find in (_of_dataset, _of_model, _of_run):
        try:
            return find(thing, store)
        except NotFoundError:
            continue
    try:
        return store.receipts.find(thing)
    except NotFoundError as error:
        raise NotFoundError(f"There is no data set, model, run, receipt or path {thing!r}.") from error


def _of_dataset(name: str, store: Store) -> str:
    row = store.datasets.find(name)
    made = _maker(row.id, f"data set {row.name!r}", store)
    sealed = {item.name for item in store.receipts.get(made).outputs if item.digest == row.id}
    if f"dataset:{row.name}" not in sealed:
        raise SealError(
            f"The catalogue calls {row.id[:16]}… {row.name!r}; its receipt says {', '.join(sorted(sealed))}."
        )
    return made


def _of_model(name: str, store: Store) -> str:
    return _maker(store.models.find(name).id, f"model {name}", store)


def _of_run(name: str, store: Store) -> str:
    row = store.runs.find(name)
    if not row.model:
        raise SealError(f"Run {row.id} is not finished; its receipt is sealed when it leaves a model.")
    return _maker(row.model, f"run {row.id}", store)


def _maker(digest: str, name: str, store: Store) -> str:
    """Return the receipt of a thing's making; the catalogue finds it, and the receipt itself must say so."""
    found = store.receipts.maker(digest)
    if found is None:
        raise SealError(
            f"No receipt speaks of {name} ({digest[:16]}…): it was changed after it was sealed, or never sealed."
        )
    if digest not in {item.digest for item in store.receipts.get(found).outputs}:
        raise SealError(f"The catalogue says that receipt {found[:16]}… speaks of {name}; it does not.")
    return found
