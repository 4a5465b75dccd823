"""DICOM objects of readers: segmentations, structure sets, and structured reports of measurements (TID 1500)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from isocenter.case import Asked, Entry, Level, Observation, Reading, Schema
from isocenter.dicom.references import Group, Spoken, measurement_groups, read_spoken
from isocenter.dicom.seg import read_seg
from isocenter.dicom.structures.rtstruct import read_rtstruct
from isocenter.errors import FileError, InputError
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.labelling.said import Heard, Said, Wanted, homeless
from isocenter.intake.steady import steady


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _File:
    """An object, and what a message calls it: names of files may be people's."""

    path: Path
    where: str
    spoken: Spoken
    digest: str


def read_objects(path: Path, wanted: Wanted) -> Heard:
    """Return what the SEG, RTSTRUCT and SR files of a folder say; other files of it are passed over.

    An object goes to the case that was taken in from the series or study that it speaks of, else to the one that its
    file is named after. An observer's name becomes a pseudonym.

    Raises:
        InputError: There is none.
    """
    paths = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    files, issues = _files(paths)
    if not files:
        raise FileError("There is no SEG, RTSTRUCT or SR object there. " + (str(issues[0]) if issues else ""))
    groups = {file.path: measurement_groups(file.spoken, file.path) for file in files if file.spoken.kind == "SR"}
    schema = wanted.schema_with(lambda: schema_of(list(groups.values()))) if groups else None
    return Heard(form=files[0].spoken.kind.lower(), schema=schema, said=_said(files, issues, groups, schema, wanted))


def _files(paths: Sequence[Path]) -> tuple[list[_File], list[Issue]]:
    found, issues = [], []
    for number, path in enumerate(paths, 1):
        where = f"object {number}"
        try:
            with steady(path, name=where) as digest:
                found.append(_File(path=path, where=where, spoken=read_spoken(path), digest=digest))
        except InputError as error:
            if len(paths) == 1 or "its modality is" not in str(error):
                issues.append(issue_of(type(error)(str(error).replace(path.name, where)), where=where))
    return found, issues


def _said(
    files: Sequence[_File], issues: list[Issue], groups: dict[Path, tuple[Group, ...]], schema: Schema | None,
    wanted: Wanted,
) -> Iterator[Said | Issue]:  # fmt: skip
    yield from issues
    for file in files:
        entry = wanted.case_of(*file.spoken.series, file.spoken.study, file.path.name)
        if entry is None:
            yield homeless(file.where)
            continue
        stranger = _stranger(file, entry, wanted)
        if stranger is not None:
            yield stranger
            continue
        try:
            yield _one(file, entry, groups.get(file.path), schema, wanted)
        except InputError as error:
            yield issue_of(type(error)(str(error).replace(file.path.name, file.where)), where=file.where)


def _stranger(file: _File, entry: Entry, wanted: Wanted) -> Issue | None:
    """Return the issue of an object that speaks of images which the version was not taken in from."""
    spoken = file.spoken.instances
    if wanted.is_own is None or not spoken or any(wanted.is_own(uid) for uid in spoken):
        return None
    return Issue(
        check="version of the image", where=f"{file.where} ({entry.id})",
        figure=f"none of the {len(spoken)} images that it was made on is one of those that were taken in",
        limit="labels made on the very images",
        mend="Take the images in that it was made on, or have it made again on these.",
    )  # fmt: skip


def _one(file: _File, entry: Entry, groups: tuple[Group, ...] | None, schema: Schema | None, wanted: Wanted) -> Said:
    # an observer's name is a person's: never as it stands
    reader = wanted.reader or (f"reader-{wanted.pseudonym(file.spoken.observer)[:8]}" if file.spoken.observer else "")
    image = next(iter(entry.volumes.values()))
    files = {f"object:{wanted.pseudonym(file.digest)}": file.digest}
    if groups is not None and schema is not None:
        asked = tuple(one.name for one in schema.findings if not one.is_whole)
        seen = tuple(_observed(group, schema) for group in groups)
        reading = Reading(reader=wanted.named(reader), image=image, asked=asked, observations=seen)
        return Said(case=entry.id, reading=reading, files=files)
    opened = read_seg if file.spoken.kind == "SEG" else read_rtstruct
    mask = opened(file.path, volume=wanted.image(entry))
    return Said(case=entry.id, reading=Reading(reader=wanted.named(reader), image=image), mask=mask, files=files)


def _observed(group: Group, schema: Schema) -> Observation:
    asked = schema.finding(group.finding)
    levels = {}
    for level in asked.levels:
        if level.name in group.words:
            levels[level.name] = level.read(group.words[level.name])
        elif level.name in group.numbers:
            value, unit = group.numbers[level.name]
            if level.unit and unit != level.unit:
                raise InputError(f"{level.name} of {asked.name} stands in {unit or '1'}, and {level.unit} was asked.")
            levels[level.name] = level.read(value)
    return Observation(finding=asked.name, levels=levels)


def schema_of(reports: Sequence[tuple[Group, ...]]) -> Schema:
    """Return the schema that reports show by themselves: coded answers are classes, measurements numbers."""
    words: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    units: dict[str, dict[str, str]] = defaultdict(dict)
    several: set[str] = set()
    for groups in reports:
        counts = Counter(group.finding for group in groups)
        several |= {name for name, count in counts.items() if count > 1}
        for group in groups:
            for name, word in group.words.items():
                words[group.finding][name].add(word)
            units[group.finding] |= {name: unit for name, (_, unit) in group.numbers.items()}
    findings = tuple(
        Asked(
            name=finding, several=finding in several,
            levels=(
                *(Level(name=n, form="classes", words=tuple(sorted(w))) for n, w in sorted(words[finding].items())),
                *(Level(name=n, form="number", unit=unit) for n, unit in sorted(units[finding].items())),
            ),
        )
        for finding in sorted({*words, *units})
    )  # fmt: skip
    return Schema(name="report", findings=findings, is_stated=False)
