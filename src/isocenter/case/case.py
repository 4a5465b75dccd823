"""One examination, pseudonymous: its volumes, what is known of it, and what readers said."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from isocenter.case.annotation import Annotation
from isocenter.errors import InputError
from isocenter.image import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing known of a case: a number with its unit, a category, or None for missing."""

    value: float | str | None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One examination without identity.

    Args:
        id: Pseudonym of the examination, a file-name-safe word.
        patient: Pseudonym of the patient; several cases may share it.
        volumes: By role, such as "image", "t1", "flair".
        facts: Such as "sex", "age_band", "site", "scanner".
        annotations: One per reader.
        day: Days since the patient's first known examination; None where not known.

    Raises:
        InputError: No volume, or two annotations by one reader.
        GridError: An annotation lies on another grid than the first volume.
    """

    id: str
    patient: str
    volumes: Mapping[str, Volume]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    annotations: tuple[Annotation, ...] = ()
    day: int | None = None

    def __post_init__(self) -> None:
        if not self.volumes:
            raise InputError(f"Case {self.id} holds no volume.")
        readers = [annotation.reader for annotation in self.annotations]
        if len(set(readers)) < len(readers):
            raise InputError(f"Case {self.id}: a reader has annotated it twice; keep one, or name them apart.")
        first = next(iter(self.volumes.values()))
        for annotation in self.annotations:
            annotation.mask.require_grid_of(first)
