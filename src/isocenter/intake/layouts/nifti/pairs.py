"""Images and labels brought together by the name of their case; what has no partner is told by name."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from isocenter.case import UNSIGNED, Annotation, Case
from isocenter.image import LabelTable, Volume, read_nifti, read_nifti_channels, read_nifti_mask
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folder import NIFTI_ENDINGS, files_under, name_in
from isocenter.intake.layouts.found import Draft, Found, Pseudonym, Read
from isocenter.intake.layouts.nifti.patients import Known, read_patients
from isocenter.intake.layouts.nifti.sheet import Channel, Sheet
from isocenter.intake.steady import steady


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A case's files.

    Args:
        images: One file for each channel, or one file with all of them along its fourth axis.
        label: None where nobody outlined anything.
    """

    images: tuple[Path, ...]
    label: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Images and labels of one part of a folder, each by case.

    Args:
        images, labels: Case to its files.
        is_test: The layout keeps these cases for testing.
    """

    images: Mapping[str, tuple[Path, ...]]
    labels: Mapping[str, Path]
    is_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """What every case of a folder has in common when it is opened."""

    folder: Path
    channels: tuple[Channel, ...]
    table: LabelTable
    known: Mapping[str, Known] = field(default_factory=dict)

    def open(self, case: str, pair: Pair) -> Read:
        """Return a case, read while its files keep still.

        Raises:
            InputError: A file that cannot be read or changed meanwhile, a volume or mask that cannot be.
            GridError: Image and mask lie on different grids.
        """
        paths = (*pair.images, *(() if pair.label is None else (pair.label,)))
        with ExitStack() as still:
            sources = {}
            for path in paths:
                name = name_in(path, self.folder)
                sources[name] = still.enter_context(steady(path, name=name))
            volumes = dict(self._volumes(pair.images))
            masks = () if pair.label is None else (read_nifti_mask(pair.label, table=self.table),)
        annotations = tuple(Annotation(reader=UNSIGNED, mask=mask) for mask in masks)
        known = self.known.get(case) or Known(patient=case)
        return Read(
            case=Case(
                id=case, patient=known.patient, volumes=volumes, facts=dict(known.facts), annotations=annotations,
                day=known.day,
            ),
            sources=sources,
        )  # fmt: skip

    def patient(self, case: str) -> str:
        """Return the patient of a case; a case that nobody assigned is a patient of its own."""
        return self.known[case].patient if case in self.known else case

    def _volumes(self, images: tuple[Path, ...]) -> Iterator[tuple[str, Volume]]:
        if len(images) == 1 < len(self.channels):
            several = read_nifti_channels(images[0], count=len(self.channels))
            for channel, volume in zip(self.channels, several, strict=True):
                yield channel.role, replace(volume, unit=channel.unit, modality=channel.modality)
            return
        for channel, path in zip(self.channels, images, strict=True):
            yield channel.role, read_nifti(path, unit=channel.unit, modality=channel.modality)


def find_pairs(
    folder: Path, sheet: Sheet, *, sides: Collection[Sides], why: str, pseudonym: Pseudonym, issues: Collection[Issue]
) -> Found:
    """Return a folder's cases, with an issue for everything that has no partner or no place.

    Args:
        folder: Where the names in messages start.
        sheet: Its dataset.json.
        sides: What lies in imagesTr and labelsTr, in imagesTs and labelsTs.
        why: Why the folder was taken for this layout.
        pseudonym: For patients.csv.
        issues: What the layout has found already.

    Raises:
        LayoutError: patients.csv cannot be used.
    """
    known = read_patients(folder, pseudonym=pseudonym)
    maker = _Maker(folder=folder, channels=sheet.channels, table=sheet.table, known=known or {})
    told = list(issues)
    drafts: list[Draft] = []
    test: set[str] = set()
    for side in sides:
        told += _lonely(side, folder)
        together = sorted(set(side.images) & set(side.labels))
        drafts += [_draft(case, Pair(images=side.images[case], label=side.labels[case]), maker) for case in together]
        test |= set(together) if side.is_test else set()
    told += _strays(folder, sides)
    if known is not None:
        told += _unassigned({draft.id for draft in drafts}, set(known))
    return Found(
        layout=sheet.source.layout, why=why, table=sheet.table, source=sheet.source,
        drafts=tuple(sorted(drafts, key=lambda draft: draft.id)), issues=tuple(told),
        sides=dict.fromkeys(sorted(test), "test"),
    )  # fmt: skip


def _draft(case: str, pair: Pair, maker: _Maker) -> Draft:
    read: Callable[[], Read] = partial(maker.open, case, pair)
    return Draft(id=case, patient=maker.patient(case), where=name_in(pair.images[0], maker.folder), open=read)


def _lonely(side: Sides, folder: Path) -> Iterator[Issue]:
    """Yield what lacks its partner; test images come without labels in most sets, so those are told once."""
    without = sorted(set(side.images) - set(side.labels))
    if side.is_test and without:
        yield Issue(
            check="pairing", where=name_in(side.images[without[0]][0].parent, folder),
            figure=f"{len(without)} test image(s) without a label were left out",
            limit="an image and its label", mend="Nothing, unless their labels should be in labelsTs.", severity="warn",
        )  # fmt: skip
    for case in [] if side.is_test else without:
        yield Issue(
            check="pairing", where=name_in(side.images[case][0], folder), figure="an image without a label",
            limit="an image and its label", mend=f"Put its label into labelsTr as {case}, or take the image out.",
        )  # fmt: skip
    for case in sorted(set(side.labels) - set(side.images)):
        yield Issue(
            check="pairing", where=name_in(side.labels[case], folder), figure="a label without an image",
            limit="an image and its label", mend=f"Put the image of {case} beside the others, or take the label out.",
        )  # fmt: skip


def _strays(folder: Path, sides: Collection[Sides]) -> Iterator[Issue]:
    """Yield NIfTI files that no part of the layout speaks of."""
    used = {path for side in sides for paths in side.images.values() for path in paths}
    used |= {path for side in sides for path in side.labels.values()}
    for path in files_under(folder):
        if path.name.endswith(NIFTI_ENDINGS) and path not in used:
            yield Issue(
                check="layout", where=name_in(path, folder), figure="an image file outside the layout was left out",
                limit="images in imagesTr, labels in labelsTr",
                mend="Move it where it belongs, or take it out of the folder.", severity="warn",
            )  # fmt: skip


def _unassigned(cases: set[str], assigned: set[str]) -> Iterator[Issue]:
    for case in sorted(cases ^ assigned):
        there = case in cases
        yield Issue(
            check="patients", where=f"patients.csv: {case}" if not there else case,
            figure="a case that patients.csv does not name" if there else "a case that is not in the folder",
            limit="one line for each case", mend="Add or take out its line; it counts as a patient of its own.",
            severity="warn",
        )  # fmt: skip
