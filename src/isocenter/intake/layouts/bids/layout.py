"""A BIDS data set: each session a case, its images by suffix, outlines from derivatives, a reader each.

Source: Gorgolewski et al. 2016, The brain imaging data structure, Sci Data 3:160044; BIDS specification 1.10.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from isocenter.case import Annotation, Case, Fact
from isocenter.errors import FileError, GridError, LayoutError
from isocenter.image import LabelTable, Volume, nifti_shape, read_nifti
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.bids import described, issues
from isocenter.intake.layouts.bids.drawn import (
    Drawn,
    annotations_of,
    drawn_of,
    table_of,
    without_idle,
    without_other_spaces,
)
from isocenter.intake.layouts.bids.names import Name, name_of, place_of
from isocenter.intake.layouts.bids.tables import Told, read_tables
from isocenter.intake.layouts.document import load_document
from isocenter.intake.layouts.folder import NIFTI_ENDINGS, files_under, name_in
from isocenter.intake.layouts.found import Draft, Found, Layout, Pseudonym, Read
from isocenter.intake.steady import steady

_DERIVATIVES = "derivatives"
_MODALITIES = {"anat": "MR", "pet": "PT", "ct": "CT"}
_NO_IMAGES = ("defacemask", "mask", "dseg", "probseg")  # in a folder of images: what others made of them

Key = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What lies in the folder, gathered file by file."""

    images: dict[Key, dict[str, Path]] = field(default_factory=dict)
    drawn: dict[Key, list[Drawn]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """One case to be."""

    key: Key
    folder: Path
    images: Mapping[str, Path]
    drawn: tuple[Drawn, ...]
    told: Told

    @property
    def id(self) -> str:
        """The case's name: sub-01, or sub-01_ses-2."""
        return _case(self.key)

    def open(self, table: LabelTable | None, pseudonym: Pseudonym) -> Read:
        """Return the case, read while its files keep still.

        Raises:
            InputError: A file that cannot be read or changed meanwhile, a volume or mask that cannot be.
            GridError: Outlines on the grid of none of the images.
        """
        with ExitStack() as still:
            sources = {}
            for path in (*self.images.values(), *(one.path for one in self.drawn)):
                name = name_in(path, self.folder)
                sources[name] = still.enter_context(steady(path, name=name))
            volumes = {role: self._volume(path) for role, path in self.images.items()}
            masks = () if table is None else annotations_of(self.drawn, table=table)
            scanner = described.scanner_of(next(iter(self.images.values())), self.folder)
        facts = ({"scanner": Fact(value=scanner)} if scanner else {}) | self.told.facts(self.key)
        fits = [role for role, volume in volumes.items() if all(_fits(one, volume) for one in masks)]
        first = fits[0] if fits else next(iter(volumes))
        case = Case(
            id=self.id, patient=pseudonym(self.key[0]), volumes={first: volumes[first], **volumes}, facts=facts,
            annotations=masks, day=self.told.days.get(self.key),
        )  # fmt: skip
        return Read(case=case, sources=sources)

    def _volume(self, path: Path) -> Volume:
        said = described.sidecar(path, self.folder)
        modality = str(said.get("Modality") or _MODALITIES[path.parent.name])
        unit = {"CT": "HU", "PT": str(said.get("Units") or "1")}.get(modality, "1")
        return read_nifti(path, unit=unit, modality=modality)


def recognise(folder: Path) -> str:
    """Return why a folder is of this layout, "" where it is not.

    Raises:
        LayoutError: Its dataset_description.json cannot be read.
    """
    subjects = [path for path in folder.glob("sub-*") if path.is_dir()]
    if not subjects:
        return ""
    if "BIDSVersion" in (load_document(folder / described.NAME) or {}):
        return f"{described.NAME} says 'BIDSVersion', and there are folders of subjects (sub-…)"
    if any(True for subject in subjects for kind in _MODALITIES for _ in subject.rglob(f"{kind}/sub-*.nii*")):
        return "there are folders of subjects (sub-…) with images named as BIDS does"
    return ""


def read(folder: Path, *, why: str, pseudonym: Pseudonym, accept: Collection[str]) -> Found:
    """Return each session with an image as a case; the outlines of each derivative are a reader's.

    Raises:
        LayoutError: No image at all, or a table that cannot be used.
        LabelError: Labels that cannot be.
    """
    del accept  # words for DICOM series
    seen = _Seen()
    for path in files_under(folder):
        if path.name.endswith(NIFTI_ENDINGS):
            _look(path, folder, seen)
    if not seen.images:
        raise LayoutError(
            f"{folder.name} holds no image as BIDS lays them out (sub-01/anat/sub-01_T1w.nii.gz). Of derivatives, name "
            "the folder of the data set that they are of: they lie in its folder 'derivatives'."
        )
    told = read_tables(folder, set(seen.images))
    sessions = [_session(key, folder, seen, told) for key in sorted(seen.images)]
    seen.issues += [
        issues.lonely(one, folder, case=_case(key)) for key, drawn in sorted(seen.drawn.items()) for one in drawn
    ]
    seen.issues += [issues.passed_over(what, count) for what, count in sorted(seen.passed_over.items()) if count]
    without = [one.id for one in sessions if not one.drawn]
    if 0 < len(without) < len(sessions):
        seen.issues.append(issues.unlabelled(without))
    drawn = {one.path: one for one in without_idle([one for session in sessions for one in session.drawn])}
    sessions = [replace(one, drawn=tuple(drawn[kept.path] for kept in one.drawn)) for one in sessions]
    table = table_of(tuple(drawn.values()))
    return Found(
        layout="bids", why=why, table=table, source=described.source_of(folder),
        issues=(*seen.issues, *told.issues),
        sides={one.id: told.sides[one.key[0]] for one in sessions if one.key[0] in told.sides},
        drafts=tuple(
            Draft(
                id=one.id, patient=pseudonym(one.key[0]), where=name_in(next(iter(one.images.values())), folder),
                open=partial(one.open, table, pseudonym),
            )
            for one in sessions
        ),
    )  # fmt: skip


def _look(path: Path, folder: Path, seen: _Seen) -> None:
    """Take an image file for what its place and its name say."""
    place, name = path.relative_to(folder).parts, name_of(path)
    if place[0] == _DERIVATIVES:
        _look_at_derivative(path, name, folder, seen)
    elif not place[0].startswith("sub-") or place[0] in ("sourcedata", "code"):
        seen.passed_over["outside the folders of subjects"] += 1
    elif path.parent.name not in _MODALITIES:
        seen.passed_over[f"in {path.parent.name}: no volume of its own"] += 1
    elif name is None or (name.entities.get("sub"), *_ses(name)) != tuple(one.partition("-")[2] for one in place[:-2]):
        seen.issues.append(issues.misnamed(path, folder))
    elif name.suffix in _NO_IMAGES:
        seen.passed_over[f"called {name.suffix} beside the images"] += 1
    elif _is_series(path):
        seen.issues.append(issues.series(path, folder))
    else:
        _take(path, name, folder, seen)


def _take(path: Path, name: Name, folder: Path, seen: _Seen) -> None:
    images = seen.images.setdefault(name.session, {})
    if name.role in images:
        raise LayoutError(f"{name_in(path, folder)} and {images[name.role].name} are one image twice. Keep one.")
    images[name.role] = path


def _ses(name: Name) -> tuple[str, ...]:
    return (name.entities["ses"],) if "ses" in name.entities else ()


def _look_at_derivative(path: Path, name: Name | None, folder: Path, seen: _Seen) -> None:
    parts = path.relative_to(folder / _DERIVATIVES).parts
    root = folder / _DERIVATIVES if parts[0].startswith("sub-") else folder / _DERIVATIVES / parts[0]
    if name is None or name.suffix not in ("dseg", "mask"):
        seen.passed_over["among the derivatives: no dseg and no mask"] += 1
        return
    try:
        drawn = drawn_of(path, name, folder=folder, root=root, how=described.how_of(root))
    except LayoutError as error:
        seen.issues.append(issues.unread(path, folder, error))
        return
    seen.drawn.setdefault(name.session, []).append(drawn)


def _session(key: Key, folder: Path, seen: _Seen, told: Told) -> _Session:
    images = dict(sorted(seen.images[key].items(), key=lambda pair: place_of(pair[0])))
    suffixes = {role.partition("_")[0] for role in images}
    drawn = seen.drawn.pop(key, [])
    if sum(other[0] == key[0] for other in seen.images) == 1:  # outlines of an only session may leave it unnamed
        drawn += seen.drawn.pop((key[0], ""), [])
    kept, foreign, copies = without_other_spaces(drawn, suffixes)
    seen.issues += [issues.foreign(one, folder) for one in foreign]
    seen.passed_over["among the derivatives: copies of outlines in other spaces"] += len(copies)
    return _Session(key=key, folder=folder, images=images, drawn=kept, told=told)


def _fits(outlines: Annotation, volume: Volume) -> bool:
    try:
        outlines.mask.require_grid_of(volume)
    except GridError:
        return False
    return True


def _is_series(path: Path) -> bool:
    try:
        return len(nifti_shape(path)) > 3
    except FileError:
        return False  # opening it tells of it, by name


def _case(key: Key) -> str:
    return f"sub-{key[0]}_ses-{key[1]}" if key[1] else f"sub-{key[0]}"


LAYOUT = Layout(recognise=recognise, read=read)
