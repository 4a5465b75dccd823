"""A folder becomes a version of a data set; a version or a folder is checked."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isocenter.case import Case, Dataset, Entry, Outline, Split, draw_split
from isocenter.errors import LayoutError, NotFoundError, StoreError
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folders import read_folder
from isocenter.intake.layouts.found import Found, Read
from isocenter.intake.quality import check_case, check_cohort, check_dataset
from isocenter.pipeline.ground import Place, Watch, now, opened, seal, told
from isocenter.pipeline.outcome import Checked, Ingested
from isocenter.result import Check, Item
from isocenter.security import Keys
from isocenter.store import Store

_NAMED = 12  # problems that a refusal spells out; more are counted


def ingest(
    folder: Path,
    *,
    dataset: str,
    as_: str | None = None,
    accept: tuple[str, ...] = (),
    leave_out: bool = False,
    seed: int = 0,
    store: Place = None,
    progress: Watch | None = None,
) -> Ingested:
    """Take a folder into the store as a version of a data set, split 70/15/15 by patient, with five folds.

    Args:
        folder: DICOM (with SEG or RTSTRUCT as labels), or in the MSD or nnU-Net layout.
        dataset: What to call it. A name means its newest version.
        as_: The layout; None recognises it.
        accept: Words that take DICOM series in spite of their verdict.
        leave_out: Take the rest where cases are bad, and list what was left out; else nothing is taken.
        seed: Of the split.
        store: Its folder or URL; made where there is none.
        progress: Told how far it is.

    Raises:
        LayoutError: Not a layout that is known, or bad cases; every one is named with what mends it.
        StoreError: The store cannot be used.
    """
    begun = time.monotonic()
    with opened(store, create_new=True) as house, house.hold(f"dataset:{dataset}"):
        found = read_folder(
            Path(folder), as_=as_, pseudonym=house.keys.pseudonym, accept=accept, progress=told(progress, "ingest")
        )
        entries, sources, issues = _taken(house, found, leave_out=leave_out)
        stops = [issue for issue in issues if issue.severity == "stop"]
        version = _version(dataset, entries, found=found, seed=seed, left_out=tuple(map(str, stops)))
        checks = (
            Check(name="cases that cannot be used", held=not stops, figure=str(len(stops)), limit="0, or left out"),
            Check(name="one patient on one side", held=True, figure="by type", limit="by type"),
        )
        receipt = seal(
            house, "ingest", inputs=sources, outputs=(Item(name=f"dataset:{dataset}", digest=version.id),),
            checks=checks, facts={"layout": found.layout, "accept": list(accept), "seed": seed},
        )  # fmt: skip
        house.datasets.save(version, at=now())
    return Ingested(
        dataset=version, layout=found.layout, why=found.why, issues=tuple(issues), receipt=receipt,
        seconds=time.monotonic() - begun,
    )  # fmt: skip


def check(
    name: str,
    *,
    as_: str | None = None,
    accept: tuple[str, ...] = (),
    store: Place = None,
    progress: Watch | None = None,
) -> Checked:
    """Return what is wrong with a data set, or with a folder that is not taken in yet.

    Args:
        name: Name or id of a data set; or a folder, where the store knows no such name.
        as_, accept: Of a folder: its layout, and words that take DICOM series in spite of their verdict.
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is neither.
        LayoutError: The folder is of no layout that is known.
    """
    if Path(name).is_dir() and not _is_known(name, store):
        found = read_folder(
            Path(name), as_=as_, pseudonym=Keys.create().pseudonym, accept=accept, progress=told(progress, "check")
        )
        entries, _, issues = _kept(found, keep=_seen)
        if entries:
            issues += check_cohort(_version(name, entries, found=found, seed=0))
        return Checked(name=name, dataset=None, cases=len(entries), issues=tuple(issues))
    with opened(store) as house:
        version = house.datasets.get(name)
        issues = list(
            check_dataset(version, lambda entry: house.case(version, entry), progress=told(progress, "check"))
        )
    return Checked(name=version.name, dataset=version.id, cases=len(version.entries), issues=tuple(issues))


def _taken(house: Store, found: Found, *, leave_out: bool) -> tuple[tuple[Entry, ...], tuple[Item, ...], list[Issue]]:
    """Put a folder's cases into the store; what is refused, or stopped by Ctrl-C, leaves nothing behind.

    Raises:
        LayoutError: A case is bad and none may be left out, or no case is sound.
    """
    put: list[Entry] = []
    is_whole = False
    try:
        entries, sources, issues = _kept(found, keep=lambda case: _keep(house, case, put))
        stops = [issue for issue in issues if issue.severity == "stop"]
        if (stops and not leave_out) or not entries:
            raise LayoutError(_refusal(stops, taken=len(entries)))
        is_whole = True
    finally:
        if not is_whole:
            house.datasets.discard(_digests(put))
    return entries, sources, issues


def _is_known(name: str, store: Place) -> bool:
    """Return whether the store has a data set of that name; a name with a slash is a path."""
    if "/" in name:
        return False
    try:
        with opened(store) as house:
            house.datasets.find(name)
    except (StoreError, NotFoundError):
        return False
    return True


def _kept(found: Found, *, keep: Callable[[Case], Entry]) -> tuple[tuple[Entry, ...], tuple[Item, ...], list[Issue]]:
    """Return what was kept of a folder's cases, the files behind them, and everything that is wrong."""
    entries: list[Entry] = []
    sources: dict[str, str] = {}
    issues = list(found.issues)
    for read in found.read():
        if isinstance(read, Issue):
            issues.append(read)
            continue
        wrong = check_case(read.case, table=found.table)
        issues += wrong
        if not any(issue.severity == "stop" for issue in wrong):
            entries.append(keep(read.case))
            sources |= _named(read)
    return tuple(entries), tuple(Item(name=name, digest=digest) for name, digest in sorted(sources.items())), issues


def _named(read: Read) -> Mapping[str, str]:
    return {f"source:{name}": digest for name, digest in read.sources.items()}


def _digests(entries: Iterable[Entry]) -> set[str]:
    """Return what cases put into the store."""
    volumes = {digest for entry in entries for digest in entry.volumes.values()}
    return volumes | {outline.digest for entry in entries for outline in entry.outlines}


def _keep(house: Store, case: Case, put: list[Entry]) -> Entry:
    """Put a case's volumes and masks into the store, note it, and return its entry."""
    entry = Entry(
        id=case.id,
        patient=case.patient,
        volumes={role: house.put_volume(volume) for role, volume in case.volumes.items()},
        outlines=tuple(
            Outline(reader=one.reader, how=one.how, digest=house.put_mask(one.mask), present=one.mask.present)
            for one in case.annotations
        ),
        facts=case.facts,
        day=case.day,
    )
    put.append(entry)
    return entry


def _seen(case: Case) -> Entry:
    """Return the entry that a case would get, its bytes hashed and not kept."""
    return Entry(
        id=case.id,
        patient=case.patient,
        volumes={role: _digest(volume.voxels) for role, volume in case.volumes.items()},
        outlines=tuple(
            Outline(reader=one.reader, how=one.how, digest=_digest(one.mask.labels), present=one.mask.present)
            for one in case.annotations
        ),
        facts=case.facts,
    )


def _digest(values: npt.NDArray[np.generic]) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()


def _version(
    name: str, entries: Sequence[Entry], *, found: Found, seed: int, left_out: tuple[str, ...] = ()
) -> Dataset:
    split = _split(entries, found=found, seed=seed)
    return Dataset(
        name=name, entries=tuple(entries), table=found.table, split=split, source=found.source, left_out=left_out
    )


def _split(entries: Sequence[Entry], *, found: Found, seed: int) -> Split | None:
    """Return a split by patient, stratified by labels found and by site; None where there are too few to split."""
    strata: dict[str, str] = {}
    for entry in entries:
        present = {value for outline in entry.outlines for value in outline.present}
        site = entry.facts.get("site") or entry.facts.get("scanner")
        told = f"{sorted(present)} {site.value if site else ''}"
        strata[entry.patient] = max(strata.get(entry.patient, ""), told)
    if len(strata) < 3:  # one patient a side is the least
        return None
    test = frozenset(entry.patient for entry in entries if entry.id in found.test and entry.outlines)
    return draw_split(strata, seed=seed, test=test if 0 < len(test) < len(strata) - 1 else frozenset())


def _refusal(stops: list[Issue], *, taken: int) -> str:
    if not stops:
        return "The folder holds no case that can be used. Check with `isocenter check FOLDER` what it holds."
    listed = "\n".join(f"  {issue}" for issue in stops[:_NAMED])
    more = f"\n  and {len(stops) - _NAMED} more" if len(stops) > _NAMED else ""
    way_out = "Mend them, or take the rest with --leave-out." if taken else "No case is left; mend them."
    told = f"{len(stops)} problem(s) stop this folder ({taken} cases are sound). Nothing was taken in."
    return f"{told} {way_out}\n{listed}{more}"
