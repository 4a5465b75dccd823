"""A folder of images leaves without names: cleaned, looked at again, with the evidence of it."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import Any, cast

from isocenter.errors import FileError, InputError
from isocenter.intake.deid.evidence import Bound, Evidence
from isocenter.intake.deid.faces import Faces
from isocenter.intake.deid.ledger import EVIDENCE
from isocenter.intake.deid.page import set_aside, write_all
from isocenter.intake.deid.pixels.cleaner import Cleaner
from isocenter.intake.deid.profile.options import FEATURES, PIXELS
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.profile.site import read_site
from isocenter.intake.deid.proof.pixels import Eye, printed, relief
from isocenter.intake.deid.proof.second import SecondLook
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.intake.deid.run import Difference, Done, differences, require_apart, treat_all
from isocenter.intake.deid.treat import Way
from isocenter.intake.layouts.writing.manifest import names_in
from isocenter.pipeline.ground import RELEASE, Place, Watch, now, opened, seal, told
from isocenter.pipeline.predictions import whole_folder
from isocenter.pipeline.public import document
from isocenter.pipeline.vaulting import opened_vault
from isocenter.plugins import find
from isocenter.processing.text import READERS
from isocenter.processing.text.line import Reader
from isocenter.result import Check, Item
from isocenter.security.keyed import Keyed
from isocenter.store import Store
from isocenter.store.evidence import sha256_of

_REVIEW = "review"  # until it gets its place beside OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A folder that left without names.

    Args:
        out: Where it lies.
        review: Where what a person must look at lies; None where there is nothing.
        evidence: As in evidence.json.
        bounds: Of the second look.
    """

    out: Path
    review: Path | None
    evidence: Mapping[str, Any]
    bounds: Sequence[Bound]
    receipt: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `deid`."""
        return document(
            "deid", out=str(self.out), review=None if self.review is None else str(self.review), **self.evidence,
            receipt=self.receipt, seconds=self.seconds,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """What would be done with each element of each file; nothing was written."""

    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `deid --dry-run`."""
        return document("deid", dry_run=True, differences=[asdict(one) for one in self.differences])


def deid(
    folder: Path,
    out: Path | None = None,
    *,
    profile: tuple[str, ...] = (),
    project: str = "",
    vault: Path | None = None,
    key: Path | None = None,
    site: Path | None = None,
    prove: bool = False,
    keep_scales: bool = False,
    dry_run: bool = False,
    store: Place = None,
    progress: Watch | None = None,
) -> Released | Previewed:
    """Take identity off a folder of images; OUT appears when everything is done, and holds nothing doubtful.

    Args:
        folder: DICOM files, pictures and NIfTI files, at any depth.
        out: A folder that is not there yet.
        profile: Options of PS3.15 annex E beside the basic profile, such as "clean-pixel-data".
        project: Whose pseudonyms to use; those of two projects cannot be linked. Empty takes OUT's name.
        vault: Where identities are kept, locked; made by `vault open --new`.
        key: The file with the vault's key.
        site: A site's own recipe, in TOML.
        prove: Look again at everything that leaves, by other means; without it nothing of OUT can be published.
        keep_scales: Lines in pixels that say nothing but scales, technique and anatomy stay.
        dry_run: Say what would be done with each element of each file; nothing is written, nobody is kept.
        store: Whose key signs the statement; made where there is none.
        progress: Told how far it is.

    Raises:
        FileError: The folder cannot be read, OUT is there already, or one lies in the other.
        InputError: An option that there is not, or two that contradict each other.
        NotFoundError, SealError: There is no such vault, or the key is not its own.
        MissingExtraError: A reader of text in pixels is not installed.
    """
    begun = time.monotonic()
    folder, asked = Path(folder), _profile(profile, site)
    if dry_run:
        return _previewed(folder, asked, progress)
    out = _required_out(folder, out)
    safe = opened_vault(vault, key)
    project, run = project or out.name, secrets.token_hex(8)
    with opened(store, create_new=True) as house, safe.runs.begun(run) as keep, whole_folder(out) as aside:
        way = Way(
            profile=asked, pseudonyms=safe.pseudonyms(project), root=folder, out=aside, review=aside / _REVIEW,
            cleaner=_cleaner(asked, keep_scales=keep_scales),
            faces=Faces.found_in(folder, progress=told(progress, "faces")) if asked.has(FEATURES) else None,
            second=SecondLook(profile=asked, eyes=_eyes(asked)) if prove else None,
        )  # fmt: skip
        done = treat_all(way, project=project, keep=keep, progress=told(progress, "deid"))
        for person in done.people:
            safe.people.keep(person)
        evidence = Evidence(run=run, project=project, at=now(), profile=asked, is_proved=prove, files=done.files)
        review = set_aside(evidence, aside / _REVIEW, out)
        write_all(evidence, aside)
        _keep_evidence(house, aside)
        receipt = _sealed(house, evidence, done, aside, keyed=way.pseudonyms.keyed)
        house.receipts.export(receipt, aside)
    return Released(
        out=out, review=review, evidence=evidence.to_json(), bounds=evidence.bounds, receipt=receipt,
        seconds=time.monotonic() - begun,
    )  # fmt: skip


def _previewed(folder: Path, profile: Profile, progress: Watch | None) -> Previewed:
    throwaway = Pseudonyms(Keyed(secret=secrets.token_bytes(32)))
    return Previewed(
        differences=tuple(differences(folder, profile=profile, pseudonyms=throwaway, progress=told(progress, "deid")))
    )


def _required_out(folder: Path, out: Path | None) -> Path:
    if out is None:
        raise InputError("Name the folder OUT that the files shall leave in, or ask with --dry-run what would be done.")
    require_apart(folder, Path(out))
    if Path(out).exists():
        raise FileError(f"{out} exists, and a release does not write over anything. Name a new folder.")
    return Path(out)


def _profile(words: tuple[str, ...], site: Path | None) -> Profile:
    return Profile.of(words, site=None if site is None else read_site(site))


def _cleaner(profile: Profile, *, keep_scales: bool) -> Cleaner | None:
    return Cleaner(reader=_reader("rapidocr"), keeps_scales=keep_scales) if profile.has(PIXELS) else None


def _eyes(profile: Profile) -> tuple[Eye, ...]:
    """Return who looks again: another reader, and the first one at pictures that it has not seen."""
    if not profile.has(PIXELS):
        return ()
    return (Eye(_reader("tesseract"), printed), Eye(_reader("rapidocr"), relief))


@cache
def _reader(name: str) -> Reader:
    return cast("Reader", cast("Any", find(name, table=READERS, group="isocenter.readers"))())


def _keep_evidence(house: Store, aside: Path) -> None:
    """Keep the evidence in the store too: what is published of these files later goes out with it."""
    for path in sorted((aside / EVIDENCE).iterdir()):
        house.blobs.put(path.read_bytes())


def _sealed(house: Store, evidence: Evidence, done: Done, aside: Path, *, keyed: Keyed) -> str:
    """Sign what went in, by keyed digests that tell a stranger nothing, and every file that comes out."""
    inputs = [Item(name=f"source:{number}", digest=_keyed(path, keyed)) for number, path in enumerate(done.sources, 1)]
    checks = [
        Check(name=f"second look, {one.what}", held=one.found == 0, figure=f"{one.found} of {one.of}", limit="0")
        for one in evidence.bounds
    ]
    return seal(
        house, RELEASE, inputs=inputs,
        outputs=[Item(name=f"file:{name}", digest=sha256_of(aside / name)) for name in names_in(aside)],
        checks=checks,
        facts={"run": evidence.run, "profile": list(evidence.profile.options), "proved": evidence.is_proved},
    )  # fmt: skip


def _keyed(path: Path, keyed: Keyed) -> str:
    with path.open("rb") as file:
        return keyed.code("source", file_digest(file, "sha256").hexdigest()).hex()
