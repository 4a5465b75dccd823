"""A folder becomes a version of a data set; a version or a folder is checked."""

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isocenter.case import Case, Dataset, Entry, Frozen, Outline
from isocenter.dicom.series import WORDS, require_words
from isocenter.errors import InputError, LayoutError, NotFoundError, StoreError
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folders import read_folder
from isocenter.intake.layouts.found import Found, Read
from isocenter.intake.quality import EMPTY_MASKS, check_answers, check_case, check_dataset, check_together
from isocenter.intake.quality.cohort import check_leaks
from isocenter.intake.quality.limits import limits_of
from isocenter.intake.quality.made_on import check_made_on, with_makings
from isocenter.intake.quality.portrait import Portrait, check_portraits, portray
from isocenter.intake.sides import check_sides, names_of, split_of
from isocenter.pipeline.freezing import frozen_of, learning
from isocenter.pipeline.ground import RELEASE, Place, Watch, asked_for, now, opened, seal, told
from isocenter.pipeline.outcome import Checked, Ingested
from isocenter.pipeline.sourcing import origin_of
from isocenter.recipe import Recipe
from isocenter.result import Check, Item
from isocenter.security import Keys
from isocenter.store import Store
from isocenter.store.ledgers import AT

_NAMED = 12  # problems that a refusal spells out; more are counted
_WRITERS = 8  # the disk's answer that a file is safe takes some ms, whatever its size: small ones are asked together
_LARGE = 1 << 23  # bytes of a case


def ingest(
    folder: Path,
    *,
    dataset: str,
    as_: str | None = None,
    accept: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    leave_out: bool = False,
    seed: int = 0,
    source: str = "",
    store: Place = None,
    progress: Watch | None = None,
) -> Ingested:
    """Take a folder into the store as a version of a data set, split 70/15/15 by patient, with five folds.

    Args:
        folder: DICOM (with SEG or RTSTRUCT as labels), pictures with a table or in class folders, or in the MSD,
            nnU-Net or BIDS layout.
        dataset: What to call it. A name means its newest version; it holds no "@", which begins the word of a pin.
        as_: The layout; None recognises it.
        accept: Words that take DICOM series in spite of their verdict; "empty-masks" takes masks that outline nothing
            as saying that nothing is there.
        columns: What the columns of a table of pictures are called, such as "patient=subject_id".
        leave_out: Take the rest where cases are bad, and list what was left out; else nothing is taken.
        seed: Of the split.
        source: Id in the register of sources; empty marks every case "source unknown".
        store: Its folder or URL; made where there is none.
        progress: Told how far it is.

    Raises:
        LayoutError: Not a layout that is known, or bad cases; every one is named with what mends it.
        InputError: A name with an "@".
        SeriesError: A word that names nothing to accept.
        NotFoundError: There is no such source.
        TermsError: The source no longer grants anything, or the store takes nothing in without one.
        StoreError: The store cannot be used.
    """
    begun = time.monotonic()
    require_words(accept, known=(*WORDS, EMPTY_MASKS))
    if AT in dataset:
        raise InputError(f"A data set cannot be called {dataset!r}: what follows an {AT!r} names one of its versions.")
    with opened(store, create_new=True) as house, house.hold(f"dataset:{dataset}"):
        origin = origin_of(house, source)
        found = read_folder(
            Path(folder), as_=as_, pseudonym=house.keys.pseudonym, accept=_of_series(accept), columns=columns,
            progress=told(progress, "ingest"),
        )  # fmt: skip
        kept = _taken(house, found, leave_out=leave_out, accept=accept)
        left_out = tuple(map(str, kept.left_out))
        entries, frozen = _followed(house, dataset, kept.entries), frozen_of(house, kept.entries)
        version = origin.mark(_version(dataset, entries, found=found, seed=seed, left_out=left_out, frozen=frozen))
        issues = (
            *kept.issues, *check_portraits(kept.portraits, name=dataset),
            *check_sides(version, sides=found.sides, frozen=frozen), *check_leaks(version), *check_answers(version),
            *check_made_on(version), *origin.issues(version, stated=found.source),
        )  # fmt: skip
        checks = (
            Check(name="cases of no use", held=not left_out, figure=str(len(left_out)), limit="0, or left out"),
            Check(name="one patient on one side", held=True, figure="by type", limit="by type"),
            Check(name="frozen patients on the test side", held=True, figure=str(len(frozen)), limit="all"),
        )
        asked = {"layout": found.layout, "accept": list(accept), "columns": list(columns), "seed": seed}
        receipt = seal(
            house, "ingest", inputs=(*origin.items, *_with_makers(house, kept.sources)),
            outputs=(Item(name=f"dataset:{dataset}", digest=version.id),),
            checks=checks, facts=asked,
        )  # fmt: skip
        house.datasets.save(version, at=now())
    return Ingested(
        dataset=version, layout=found.layout, why=found.why, issues=issues, receipt=receipt,
        seconds=time.monotonic() - begun,
    )  # fmt: skip


def check(
    name: str,
    *,
    as_: str | None = None,
    accept: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    recipe: Path | Recipe | None = None,
    set_: tuple[str, ...] = (),
    store: Place = None,
    progress: Watch | None = None,
) -> Checked:
    """Return what is wrong with a data set, or with a folder that is not taken in yet.

    Args:
        name: Name or id of a data set; or a folder, where the store knows no such name.
        as_, columns: Of a folder: its layout, and what the columns of its table are called.
        accept: Words that take DICOM series in spite of their verdict, or empty masks (see ingest).
        recipe, set_: Whose section [quality] says from which figure on something is told, and what stops; changes
            to it, such as "quality.near_duplicate=0.97".
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        RecipeError: The recipe says what cannot be.
        NotFoundError: There is neither.
        LayoutError: The folder is of no layout that is known.
        SeriesError: A word that names nothing to accept.
    """
    require_words(accept, known=(*WORDS, EMPTY_MASKS))
    limits = limits_of(asked_for(recipe, set_))
    if Path(name).is_dir() and not _is_known(name, store):
        found = read_folder(
            Path(name), as_=as_, pseudonym=Keys.create().pseudonym, accept=_of_series(accept), columns=columns,
            progress=told(progress, "check"),
        )  # fmt: skip
        kept = _kept(found, keep=_seen, accept=accept)
        issues = list(kept.issues)
        if kept.entries:
            version = _version(name, kept.entries, found=found, seed=0)
            issues += check_sides(version, sides=found.sides)
            issues += check_together(version, kept.portraits, limits=limits, progress=told(progress, "compare"))
        return Checked(name=name, dataset=None, cases=len(kept.entries), issues=limits.graded(issues))
    with opened(store) as house:
        version = house.datasets.get(name)
        issues = list(_of_frozen(version, learning(version, frozen_of(house, version.entries))))
        issues += check_dataset(
            version, lambda one: house.case(version, one), accept=accept, limits=limits,
            progress=told(progress, "check"), comparing=told(progress, "compare"),
        )  # fmt: skip
    return Checked(name=version.name, dataset=version.id, cases=len(version.entries), issues=limits.graded(issues))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What was kept of a folder.

    Args:
        sources: The files behind the entries.
        issues: Everything that is wrong.
        left_out: Those of them that keep a case, or something of it, out.
        portraits: What every case kept is like.
    """

    entries: tuple[Entry, ...]
    sources: tuple[Item, ...]
    issues: tuple[Issue, ...]
    left_out: tuple[Issue, ...]
    portraits: tuple[Portrait, ...]


def _taken(house: Store, found: Found, *, leave_out: bool, accept: Collection[str]) -> _Kept:
    """Put a folder's cases into the store; what is refused, or stopped by Ctrl-C, leaves nothing behind.

    Raises:
        LayoutError: A case is bad and none may be left out, or no case is sound.
    """
    put: list[Entry] = []
    is_whole = False
    try:
        kept = _kept(found, keep=lambda case: _keep(house, case, put), accept=accept)
        stops = [issue for issue in kept.issues if issue.severity == "stop"]
        if (stops and not leave_out) or not kept.entries:
            raise LayoutError(_refusal(stops or list(kept.left_out), taken=len(kept.entries)))
        is_whole = True
    finally:
        if not is_whole:
            house.datasets.discard(_digests(put))
    return kept


def _of_series(accept: Collection[str]) -> tuple[str, ...]:
    """Return the words that speak of DICOM series."""
    return tuple(word for word in accept if word != EMPTY_MASKS)


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


def _kept(found: Found, *, keep: Callable[[Case], Entry], accept: Collection[str]) -> _Kept:
    """Return what was kept of a folder's cases, and everything that is wrong.

    Bad cases stop the folder, unless they are so few that its layout lets them go with a warning.
    """
    entries: list[Future[Entry]] = []
    sources: dict[str, str] = {}
    portraits: list[Portrait] = []
    issues, bad, count = list(found.issues), list[Issue](), 0
    with ThreadPoolExecutor(_WRITERS) as pool:
        for read in found.read():
            wrong = (read,) if isinstance(read, Issue) else check_case(read.case, table=found.table, accept=accept)
            stops = [issue for issue in wrong if issue.severity == "stop"]
            issues += [issue for issue in wrong if issue not in stops]
            bad += stops
            count += bool(stops)
            if not stops and not isinstance(read, Issue):
                entries.append(pool.submit(keep, read.case))
                _hold_back(entries, read.case)
                portraits.append(portray(read.case))
                sources |= _named(read)
    if count <= found.most_bad * len(found):
        bad = [replace(issue, severity="warn") for issue in bad]
    return _Kept(
        entries=tuple(entry.result() for entry in entries), issues=(*issues, *bad), portraits=tuple(portraits),
        left_out=(*(issue for issue in issues if issue.severity == "stop"), *bad),
        sources=tuple(Item(name=name, digest=digest) for name, digest in sorted(sources.items())),
    )  # fmt: skip


def _hold_back(entries: Sequence[Future[Entry]], case: Case) -> None:
    """Wait until what is not yet on the disk fits into memory: of large cases one, of small ones two a writer."""
    is_large = sum(volume.voxels.nbytes for volume in case.volumes.values()) > _LARGE
    ahead = 1 if is_large else 2 * _WRITERS
    if len(entries) >= ahead:
        entries[-ahead].result()


def _with_makers(house: Store, sources: Sequence[Item]) -> Iterator[Item]:
    """Yield files that were taken in; those that a release of this store has left name the receipt of it."""
    made = house.receipts.makers([item.digest for item in sources], step=RELEASE)
    return (replace(item, receipt=made.get(item.digest, "")) for item in sources)


def _named(read: Read) -> Mapping[str, str]:
    return {f"source:{name}": digest for name, digest in read.sources.items()}


def _digests(entries: Iterable[Entry]) -> set[str]:
    """Return what cases put into the store."""
    volumes = {digest for entry in entries for digest in entry.volumes.values()}
    return volumes | {outline.digest for entry in entries for outline in entry.outlines}


def _keep(house: Store, case: Case, put: list[Entry]) -> Entry:
    """Put a case's volumes and masks into the store, note it, and return its entry."""
    volumes = {role: house.put_volume(volume) for role, volume in case.volumes.items()}
    bare = Entry(id=case.id, patient=case.patient, volumes=volumes, facts=case.facts, day=case.day)
    outlines = tuple(
        Outline(
            reader=one.reader, how=one.how, digest=house.put_mask(one.mask), present=one.mask.present,
            made_on="" if one.made_on == bare.image else one.made_on,
        )
        for one in case.annotations
    )  # fmt: skip
    entry = replace(bare, outlines=outlines)
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
        day=case.day,
    )


def _digest(values: npt.NDArray[np.generic]) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()


def _followed(house: Store, name: str, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return cases whose outlines know whether they were made on an image that the newest version still had."""
    try:
        before = house.datasets.get(name)
    except NotFoundError:
        return entries
    return with_makings(entries, before=before) if before.name == name else entries


def _of_frozen(version: Dataset, found: Sequence[Frozen]) -> Iterator[Issue]:
    """Yield that a version would learn from patients who are frozen."""
    if found:
        yield Issue(
            check="frozen", where=version.name, figure=names_of(found), limit="nobody frozen is learnt from",
            mend=f"`isocenter split {version.name}` makes a version with them on the test side.",
        )  # fmt: skip


def _version(
    name: str,
    entries: Sequence[Entry],
    *,
    found: Found,
    seed: int,
    left_out: tuple[str, ...] = (),
    frozen: Sequence[Frozen] = (),
) -> Dataset:
    split = split_of(
        entries, sides=found.sides, seed=seed, has_outlines=found.table is not None,
        frozen=[one.patient for one in frozen],
    )  # fmt: skip
    return Dataset(
        name=name, entries=tuple(entries), table=found.table, split=split, source=found.source, left_out=left_out
    )


def _refusal(stops: list[Issue], *, taken: int) -> str:
    if not stops:
        return "The folder holds no case that can be used. Check with `isocenter check FOLDER` what it holds."
    listed = "\n".join(f"  {issue}" for issue in stops[:_NAMED])
    more = f"\n  and {len(stops) - _NAMED} more" if len(stops) > _NAMED else ""
    way_out = "Mend them, or take the rest with --leave-out." if taken else "No case is left; mend them."
    told = f"{len(stops)} problem(s) stop this folder ({taken} cases are sound). Nothing was taken in."
    return f"{told} {way_out}\n{listed}{more}"
