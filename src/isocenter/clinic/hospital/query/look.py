"""What a PACS has of what is asked for, and what has changed since it was last looked at."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from isocenter.clinic.hospital.query.archive import Archive, Series
from isocenter.clinic.hospital.query.question import Question
from isocenter.dicom.files.slow import quietly
from isocenter.errors import DroppedError

Progress = Callable[[int, int], None]
Answered = TypeVar("Answered")

_LIBRARIES = ("pynetdicom", "dicomweb_client", "retrying", "urllib3", "requests", "pydicom")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait before each new attempt, in seconds; what comes in between begins the count anew."""

    waits_s: tuple[float, ...] = (2.0, 8.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a PACS has of what is asked for.

    Args:
        series: Each once, with the instances that it lists.
        unanswered: Lines of the list, and 0 for a question that stands in none, to which it has nothing.
        strangers: Studies that it answered with and that were not asked for; they are left alone.
    """

    series: tuple[Series, ...]
    unanswered: tuple[int, ...] = ()
    strangers: int = 0

    @property
    def studies(self) -> int:
        """How many studies."""
        return len({one.study for one in self.series})

    @property
    def instances(self) -> int:
        """How many instances are listed, or are there by what it says."""
        return sum(max(len(one.instances), one.said or 0) for one in self.series)

    def since(self, before: "Found") -> tuple[int, int]:
        """Return how many instances have come into the archive since, and how many have gone."""
        now, then = self._all(), before._all()
        return len(now - then), len(then - now)

    def and_gone(self, before: "Found") -> tuple[Series, ...]:
        """Return the series of now, and those that were there before, without instances."""
        there = {(one.study, one.uid) for one in self.series}
        gone = (one for one in before.series if (one.study, one.uid) not in there)
        return (*self.series, *(replace(one, said=None, instances=()) for one in gone))

    def _all(self) -> set[tuple[str, str, str]]:
        return {(series.study, series.uid, one.uid) for series in self.series for one in series.instances}


def look(
    archive: Archive, questions: Sequence[Question], *, patience: Patience, progress: Progress | None = None
) -> Found:
    """Return what a PACS has of what is asked for.

    Raises:
        DroppedError: It was lost more often than patience lasts.
        PeerError: It refuses.
    """
    wanted: dict[str, set[str]] = {}  # study -> modalities that are asked for; an empty one asks for all
    unanswered, strangers = list[int](), set[str]()
    for question in questions:
        answers = _patiently(lambda asked=question: archive.find_studies(asked), patience)  # type: ignore[misc]
        fitting = {one["StudyInstanceUID"] for one in answers if question.fits(one)} - {""}
        strangers |= {one["StudyInstanceUID"] for one in answers} - fitting
        if not fitting:
            unanswered.append(question.line)
        for study in fitting:
            wanted.setdefault(study, set()).update(question.modalities or ("",))
    series = list[Series]()
    for count, study in enumerate(sorted(wanted), start=1):
        asked = wanted[study]
        listed = _patiently(lambda of=study: archive.list_series(of), patience)  # type: ignore[misc]
        series += [one for one in listed if "" in asked or one.modality in asked]
        if progress is not None:
            progress(count, len(wanted))
    return Found(
        series=tuple(sorted(series, key=lambda one: (one.study, one.uid))), unanswered=tuple(unanswered),
        strangers=len(strangers - wanted.keys()),
    )  # fmt: skip


@contextmanager
def silent() -> Iterator[None]:
    """Keep the network's libraries from logging and warning: what they say holds names and UIDs."""
    loggers = [logging.getLogger(name) for name in _LIBRARIES]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with quietly():
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _patiently(ask: Callable[[], Answered], patience: Patience) -> Answered:
    for wait_s in patience.waits_s:
        try:
            return ask()
        except DroppedError:
            time.sleep(wait_s)
    return ask()
