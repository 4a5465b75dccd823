"""A data set is published: what leaves was proved to name nobody, and says on what terms it may be used."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from isocenter.case import Dataset, Grant
from isocenter.errors import InputError, LayoutError, NotFoundError, ProofError, TermsError
from isocenter.intake.deid.ledger import EVIDENCE
from isocenter.intake.layouts.folders import read_folder
from isocenter.intake.layouts.writing.order import Order, Writer
from isocenter.intake.layouts.writing.released import write_released
from isocenter.pipeline.exporting import Exported, require_new, write_out, writer_of
from isocenter.pipeline.ground import RELEASE, Place, Watch, opened, told
from isocenter.pipeline.predictions import whole_folder
from isocenter.pipeline.sourcing import require_use
from isocenter.result import Check, Item, Receipt
from isocenter.store import Store

DICOM = "dicom"
_EVIDENCE = f"file:{EVIDENCE}/"
_FILE, _INSTANCE = "source:", "source:instance:"  # of what was taken in: files, by name or by the pseudonym of a UID
_WORDY = 20  # different words from which on a fact may be a name or number of each patient
_LONG = 10_000  # from here on a whole number may be one that a patient is known by


def publish(
    name: str,
    out: Path,
    *,
    as_: str,
    release: Path | None = None,
    store: Place = None,
    progress: Watch | None = None,
) -> Exported:
    """Write a data set for strangers: only what was proved to name nobody, with its terms, evidence and manifest.

    Args:
        name: Name or id of a data set, taken in from what `deid --prove` left, with a source of the register.
        out: A folder that is not there yet; it appears whole or not at all.
        as_: The form: "dicom", "nnunet", "bids" or "pictures".
        release: For "dicom", the folder that the data set was taken from: its files leave bit for bit.
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such data set.
        LayoutError: There is no such form.
        TermsError: A case is of unknown source, or its source does not grant sharing, or no longer.
        ProofError: A file behind it was not proved to name nobody, or a fact may name somebody.
        InputError: The form cannot hold this data set; or the release is not the one that it was taken from.
        FileError: The folder is there already, or cannot be written.
        SealError: A volume, mask, receipt or piece of evidence in the store was changed.
    """
    begun = time.monotonic()
    out = require_new(out)
    with opened(store) as house:
        dataset = house.datasets.get(name)
        grants = _required_terms(house, dataset)
        proof = _proof(house, dataset)
        proof.require(dataset)
        require_harmless(dataset)
        if as_ == DICOM:
            _require_as_taken(dataset)
        shown = dataset.renamed(house.keys.pseudonym) if proof.has_names else dataset
        order = Order(
            dataset=shown, version=dataset.id, case=partial(house.case, shown), grants=grants,
            progress=told(progress, "publish"),
        )  # fmt: skip
        write = _as_released(house, proof, release) if as_ == DICOM else writer_of(as_)
        with whole_folder(out) as aside:
            for receipt in proof.releases:
                _put_evidence(house, receipt, aside)
            exported = write_out(
                house, order, aside, write=write, form=as_, step="publish", inputs=proof.items(dataset),
                checks=proof.checks,
            )  # fmt: skip
    return replace(exported, out=out, seconds=time.monotonic() - begun)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """What is known of the files behind a version.

    Args:
        files: Each file that was taken in, with the receipt of the release that left it.
        releases: The receipts of those releases.
        accept: Words that were accepted when they were taken in.
    """

    files: tuple[Item, ...]
    releases: tuple[Receipt, ...]
    accept: tuple[str, ...]

    def require(self, dataset: Dataset) -> None:
        """Do nothing where every file was proved.

        Raises:
            ProofError: One was not.
        """
        bare = sum(not item.receipt for item in self.files)
        if bare or not self.files:
            raise ProofError(
                f"{bare} of {len(self.files)} files behind data set {dataset.name!r} did not come from `deid` of this "
                "store, so nothing says that they name nobody. Take them through `deid IN OUT --prove`, and OUT in."
            )
        doubtful = [one for one in self.releases if not one.facts.get("proved") or not all(c.held for c in one.checks)]
        if doubtful:
            raise ProofError(
                f"{len(doubtful)} of {len(self.releases)} releases behind data set {dataset.name!r} were made without "
                "--prove: nobody looked again at what they left. Make them again with it."
            )

    def items(self, dataset: Dataset) -> Iterator[Item]:
        """Yield what strangers are told that it was made from: the version, and released files by number.

        The receipt of taking them in stays in the store: it names files as somebody may have called them.
        """
        yield Item(name=f"dataset:{dataset.name}", digest=dataset.id)
        for number, item in enumerate(self.files, 1):
            yield Item(name=f"released:{number}", digest=item.digest, receipt=item.receipt)

    @property
    def has_names(self) -> bool:
        """Whether cases are called as their files are, which nobody has looked at, and not by pseudonyms (DICOM)."""
        return not all(item.name.startswith(_INSTANCE) for item in self.files)

    @property
    def checks(self) -> tuple[Check, ...]:
        """What a receipt says of it."""
        count = f"{len(self.files)} of {len(self.files)}"
        return (Check(name="files proved to name nobody", held=True, figure=count, limit="all"),)


def _require_as_taken(dataset: Dataset) -> None:
    """Do nothing where a version's volumes are as they were taken in.

    Raises:
        InputError: They have gone through steps; the files that they were taken from show something else.
    """
    if dataset.prepared:
        raise InputError(
            f"The volumes of data set {dataset.name!r} were prepared; its DICOM files show them as they were before. "
            "Publish the version that it was made from, or this one in another form."
        )


def _required_terms(house: Store, dataset: Dataset) -> tuple[Grant, ...]:
    unknown = dataset.sources.get("", 0)
    if unknown:
        raise TermsError(
            f"{unknown} of {len(dataset.entries)} cases of data set {dataset.name!r} are of unknown source, so nobody "
            "knows on what terms they may leave. Note the source with `isocenter source add`, and take the folder in "
            "again with --source."
        )
    return require_use(house, dataset, "sharing")


def _proof(house: Store, dataset: Dataset) -> _Proof:
    taken = list(taken_in(house, dataset))
    files = tuple(item for one in taken for item in one.inputs if item.name.startswith(_FILE))
    releases = tuple(house.receipts.get(one) for one in sorted({item.receipt for item in files if item.receipt}))
    if any(one.step != RELEASE for one in releases):
        raise ProofError(f"A receipt behind data set {dataset.name!r} is of another step than {RELEASE}.")
    return _Proof(files=files, releases=releases, accept=tuple(word for one in taken for word in one.facts["accept"]))


def taken_in(house: Store, dataset: Dataset) -> Iterator[Receipt]:
    """Yield the receipts of taking in what became a version, itself or by way of other versions."""
    made = house.receipts.maker(dataset.id)
    queue = [made] if made else []
    for digest in queue:  # grows while it is walked
        receipt = house.receipts.get(digest)
        if receipt.step == "ingest":
            yield receipt
        else:
            queue += [item.receipt for item in receipt.inputs if item.receipt and item.receipt not in queue]


def require_harmless(dataset: Dataset) -> None:
    """Refuse facts by which a patient may be known: they can come from a table, which no release has proved.

    Raises:
        ProofError: There is one.
    """
    patients = len({entry.patient for entry in dataset.entries})
    for name in sorted({name for entry in dataset.entries for name in entry.facts}):
        values = {entry.facts[name].value for entry in dataset.entries if name in entry.facts} - {None}
        words = {value for value in values if isinstance(value, str)}
        long = {value for value in values if not isinstance(value, str) and value is not None and value >= _LONG}
        if max(len(words), len(long)) > max(_WORDY, patients // 2):
            raise ProofError(
                f"The fact {name!r} has {len(values)} different values in {patients} patients of data set "
                f"{dataset.name!r}: it may say who they are. Leave its column out of the table, and take the folder "
                "in again."
            )


def _as_released(house: Store, proof: _Proof, release: Path | None) -> Writer:
    """Return a writer that takes the very files of a release.

    Raises:
        LayoutError: None was named, or it holds no DICOM files.
    """
    if release is None:
        raise LayoutError(
            "As DICOM the released files themselves leave, bit for bit: name the folder that the data set was taken "
            "from with --from."
        )
    found = read_folder(Path(release), as_=DICOM, pseudonym=house.keys.pseudonym, accept=proof.accept)
    return partial(write_released, drafts=found.drafts, proved={item.digest for item in proof.files})


def _put_evidence(house: Store, receipt: Receipt, aside: Path) -> None:
    """Write what a release left as its evidence to evidence/RUN.

    Raises:
        InputError: The store does not hold it.
    """
    folder = aside / EVIDENCE / str(receipt.facts["run"])
    folder.mkdir(parents=True)
    for item in receipt.outputs:
        if item.name.startswith(_EVIDENCE):
            try:
                (folder / item.name.removeprefix(_EVIDENCE)).write_bytes(house.blobs.get(item.digest))
            except NotFoundError as error:
                raise InputError(f"The evidence of release {receipt.facts['run']} is gone from the store.") from error
