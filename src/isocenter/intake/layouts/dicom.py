"""A folder of DICOM files: studies become cases, segmentations and structure sets their outlines.

Messages and names bear pseudonyms only: files and folders of an archive are often named after people.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from isocenter.case import Case, Fact, Source
from isocenter.dicom import Scan, Series, load, scan
from isocenter.errors import LayoutError
from isocenter.image import LabelTable
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folder import files_under
from isocenter.intake.layouts.found import Draft, Found, Layout, Pseudonym, Read
from isocenter.intake.layouts.outlines import (
    MODALITIES,
    Outlined,
    find_outlines,
    read_outlines,
    table_of,
    without_target,
)
from isocenter.intake.steady import steady

_LOOKED_AT = 200  # files that recognising opens: enough to pass over the notes and licences beside a study
_BY_THE_WAY = ("localiser", "not an image", "unsupported", "encrypted")
_OLDEST_BAND = 90  # ages from 90 on are one band: few people are that old, so it would tell who (45 CFR 164.514(b))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Study:
    """One case to be: its series by role, the first one being the one outlined.

    Args:
        id, patient: Pseudonyms.
        volumes: Role to series.
        outlined: Files of outlines on the first volume.
    """

    id: str
    patient: str
    volumes: Mapping[str, Series]
    outlined: tuple[Outlined, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file behind it, each once: images first, then outlines."""
        images = [instance.path for one in self.volumes.values() for instance in one.instances]
        return tuple(dict.fromkeys((*images, *(drawn.path for drawn in self.outlined))))

    def open(self, table: LabelTable | None, pseudonym: Pseudonym, accept: Collection[str]) -> Read:
        """Return the case, read while its files keep still.

        Raises:
            InputError: A series that makes no volume, outlines that do not fit, a file that changed meanwhile.
        """
        sources: dict[str, str] = {}
        with ExitStack() as still:
            for role, one in self.volumes.items():
                for path, uid in {instance.path: instance.sop_uid for instance in one.instances}.items():
                    sources[f"instance:{pseudonym(uid)}"] = still.enter_context(steady(path, name=f"a file of {role}"))
            for drawn in self.outlined:
                held = still.enter_context(steady(drawn.path, name=drawn.reader))
                sources[f"instance:{pseudonym(drawn.uid)}"] = held
            volumes = {role: load(one, accept=accept) for role, one in self.volumes.items()}
            first = next(iter(volumes.values()))
            masks = () if table is None else read_outlines(self.outlined, first, table=table)
        facts = _facts(next(iter(self.volumes.values())))
        case = Case(id=self.id, patient=self.patient, volumes=volumes, facts=facts, annotations=masks)
        return Read(case=case, sources=sources)


def recognise(folder: Path) -> str:
    """Return why a folder is DICOM, "" where it is not.

    Raises:
        LayoutError: A folder inside may not be read.
    """
    looked = 0
    for looked, path in enumerate(files_under(folder), 1):
        if _is_dicom(path):
            return "it holds DICOM files" if looked == 1 else f"file {looked} of those looked at is DICOM"
        if looked == _LOOKED_AT:
            break
    return ""


def _is_dicom(path: Path) -> bool:
    """Return whether a file says that it is DICOM (PS3.10 7.1), or is named so."""
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return False  # reading tells of it by and by; recognising goes on to the next
    return start[128:] == b"DICM" or (bool(start) and path.suffix.lower() in (".dcm", ".dicom", ".ima"))


def read(folder: Path, *, why: str, pseudonym: Pseudonym, accept: Collection[str]) -> Found:
    """Return one case for each study; several outlined series of one study become a case each.

    Raises:
        LayoutError: No DICOM file at all, or a folder that may not be read.
    """
    for _ in files_under(folder):
        pass  # a folder inside that may not be read is told here; scanning passes over it
    found = scan(folder)
    if not found.series:
        raise LayoutError(f"None of {found.files} files is readable DICOM. Name the folder that the studies lie in.")
    issues = list(_refused(found))
    studies: list[_Study] = []
    for group in found.studies:
        made, more = _studies(group, pseudonym=pseudonym, accept=accept)
        studies += made
        issues += more
    table = table_of(one for study in studies for one in study.outlined)
    return Found(
        layout="dicom", why=why, table=table, source=Source(layout="dicom"), issues=tuple(dict.fromkeys(issues)),
        drafts=tuple(
            Draft(
                id=study.id, patient=study.patient, where=study.id, files=study.files,
                open=partial(study.open, table, pseudonym, frozenset(accept)),
            )
            for study in sorted(studies, key=lambda study: study.id)
        ),
    )  # fmt: skip


def _refused(found: Scan) -> Iterator[Issue]:
    """Yield files that could not be read, counted by reason: their names may be people's."""
    for reason, count in sorted(Counter(why for _, why in found.refused).items()):
        yield Issue(
            check="file", where="the folder", figure=f"{count} file(s) left out: {reason.rstrip('.')}",
            limit="readable DICOM files", mend="Nothing where they are notes; otherwise copy them again.",
            severity="warn",
        )  # fmt: skip


def _studies(
    series: Collection[Series], *, pseudonym: Pseudonym, accept: Collection[str]
) -> tuple[list[_Study], list[Issue]]:
    """Return the cases of one study, and what stands in the way of others."""
    first = next(iter(series))
    id_, issues = pseudonym(first.study_uid), []
    if not first.patient_id:
        issues.append(_nobody(id_))
    patient = pseudonym(first.patient_id or first.study_uid)
    pictures = [one for one in series if one.modality not in MODALITIES]
    usable = [one for one in pictures if set(one.accepts) <= set(accept) and _can_be(one)]
    issues += [_left_out(one, id_) for one in pictures if one not in usable]
    outlined, more = find_outlines(series, where=id_)
    by_uid = {one.series_uid: one for one in reversed(usable)}
    issues += more + without_target(outlined, by_uid, where=id_)
    targets = list(dict.fromkeys(one.target for one in outlined if one.target in by_uid))
    if not usable:
        issues.append(_empty(id_))
        return [], issues
    if len(targets) < 2:
        ordered = sorted(usable, key=lambda one: one is not by_uid.get(targets[0] if targets else ""))
        drawn = tuple(one for one in outlined if one.target in targets)
        return [_Study(id=id_, patient=patient, volumes=_by_role(ordered), outlined=drawn)], issues
    return [
        _Study(
            id=pseudonym(target), patient=patient, volumes=_by_role([by_uid[target]]),
            outlined=tuple(one for one in outlined if one.target == target),
        )
        for target in targets
    ], issues  # fmt: skip


def _can_be(series: Series) -> bool:
    """Return whether a series makes a volume once its flaws are accepted."""
    return all(flaw.accept for flaw in series.flaws)


def _by_role(series: Iterable[Series]) -> dict[str, Series]:
    """Return role to series: its sequence and part; a second one of the same name is numbered 2."""
    found: dict[str, Series] = {}
    for one in series:
        names = (one.role, *(f"{one.role}_{number}" for number in range(2, len(found) + 3)))
        found[next(name for name in names if name not in found)] = one
    return found


def _facts(series: Series) -> dict[str, Fact]:
    known = {"modality": Fact(value=series.modality or None), "scanner": Fact(value=series.scanner or None)}
    known["sex"] = Fact(value=series.sex or None)
    known["age_band"] = Fact(value=None if series.age_years is None else _band(series.age_years))
    return known


def _band(years: float) -> str:
    if years >= _OLDEST_BAND:
        return f"{_OLDEST_BAND}+"
    low = int(years) // 10 * 10
    return f"{low}-{low + 9}"


def _nobody(where: str) -> Issue:
    return Issue(
        check="patients", where=where, figure="a study without a patient ID", limit="a patient for each study",
        mend="It counts as a patient of its own; if that is wrong, mend the ID in the archive.", severity="warn",
    )  # fmt: skip


def _left_out(series: Series, where: str) -> Issue:
    return Issue(
        check="series", where=f"{where}, series {series.number}",
        figure=f"{series.verdict}: {series.reason}".rstrip("."),
        limit="a regular series", mend=_mend(series),
        severity="warn" if series.verdict in _BY_THE_WAY else "stop",
    )  # fmt: skip


def _mend(series: Series) -> str:
    if not _can_be(series):
        return "It is left out; export it again if it should be a volume."
    return f"Export it again, or accept it: {', '.join(series.accepts)}."


def _empty(where: str) -> Issue:
    return Issue(
        check="series", where=where, figure="no series of the study makes a volume", limit="one volume",
        mend="See its series above: accept a flaw by name, or export it again.",
    )  # fmt: skip


LAYOUT = Layout(recognise=recognise, read=read)
