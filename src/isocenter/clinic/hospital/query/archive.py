"""What every way of asking a PACS answers, whatever its protocol."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

from isocenter.clinic.hospital.query.question import Question

Outcome = Literal["kept", "there", "apart", "foreign", "damaged"]
"""What became of an instance that came: written; had before; kept apart; never asked for; not readable."""

Take = Callable[[bytes], Outcome]
"""Who takes an instance, as a whole DICOM file (PS3.10)."""

FIELDS = ("StudyInstanceUID", "StudyDate", "PatientID", "AccessionNumber", "ModalitiesInStudy")
"""What is asked of every study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An instance that a PACS says it has. UIDs are identity: no repr."""

    uid: str = field(repr=False)
    sop_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series that a PACS says it has.

    Args:
        study, uid: UIDs.
        modality: Such as "CT"; empty where it does not say.
        said: How many instances it says there are; None where it does not say.
        instances: Those that it lists.
    """

    study: str = field(repr=False)
    uid: str = field(repr=False)
    modality: str = ""
    said: int | None = None
    instances: tuple[Instance, ...] = ()


class Archive(Protocol):
    """A PACS that is being asked.

    Every member raises DroppedError where the connection is lost, and PeerError where the PACS refuses.
    """

    way: str
    """How instances come: "get", "move" or "web"."""

    def find_studies(self, question: Question) -> Sequence[Mapping[str, str]]:
        """Return what the PACS says of the studies that a question asks for: FIELDS by keyword."""

    def list_series(self, study: str) -> Sequence[Series]:
        """Return the series of a study, with the instances that it lists."""

    def retrieve(self, series: Series, lacking: Sequence[Instance]) -> None:
        """Have instances sent to who takes them; all of the series where `lacking` is empty."""

    def __enter__(self) -> Self:
        """Return itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Take leave."""
