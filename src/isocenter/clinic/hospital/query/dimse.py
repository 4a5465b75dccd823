"""A PACS asked by C-FIND, C-GET and C-MOVE (PS3.4 annex C), in the study root model."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType

from pydicom.dataset import Dataset
from pynetdicom import build_context, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from isocenter.clinic.hospital.listen import (
    LARGEST_PDU,
    MOST_CONTEXTS,
    Listener,
    Storing,
    application,
    hurry,
    storage_contexts,
)
from isocenter.clinic.hospital.pacs import Pacs
from isocenter.clinic.hospital.query.archive import FIELDS, Instance, Series, Take
from isocenter.clinic.hospital.query.question import Question
from isocenter.errors import DroppedError, InputError, PeerError

# The study root model (PS3.4 C.6.2); patient root is not asked, since every archive knows this one.
FIND, GET, MOVE = (f"1.2.840.10008.5.1.4.1.2.2.{one}" for one in (1, 3, 2))
_PENDING = frozenset({0xFF00, 0xFF01})
_WARNED = frozenset({0xB000})  # some sub-operations failed: what lacks is seen by who counts
_LATER = frozenset({0xA700, 0xA701, 0xA702})  # out of resources: asking again may help
_MEANS = {
    0x0122: "it does not support the question",
    0x0124: "we are not authorized there",
    0xA801: "it does not know our AE title as a place to send to; its administrator must enter it, with our port",
    0xA900: "the question does not fit its model",
    0xFE00: "it stopped",
}
# Where a PACS does not say which classes it has: what most archives hold most of.
_USUAL = tuple(
    f"1.2.840.10008.5.1.4.1.1.{one}"
    for one in ("2", "4", "7", "1", "1.1", "2.1", "4.1", "6.1", "12.1", "20", "128", "88.22")
)
_DROPPED = (
    "The PACS dropped the association, or was silent too long. Where it does so each time, it may not allow our AE "
    "title to ask this."
)
_MOST_UIDS = 100  # in one question: UIDs of 64 bytes, and PACS that hold lists in fields of 16 KiB


class DimseArchive(AbstractContextManager["DimseArchive"]):
    """A PACS that speaks DIMSE. Instances come by an association of ours (C-GET), or to a port of ours (C-MOVE).

    Args:
        pacs: Where it answers.
        how: "get", "move", or "auto": get where the PACS accepts it, else move.
        listen: Address of the port for C-MOVE; empty where there is none.
        take: Who takes what comes; None where nothing will be retrieved.

    Raises:
        DroppedError: It cannot be reached.
        PeerError: It refuses us, or offers no way that was asked for.
        InputError: C-MOVE is asked for without a port that can be opened.
    """

    def __init__(self, pacs: Pacs, *, how: str, listen: str, take: Take | None) -> None:
        self._pacs = pacs
        self._application = application(pacs)
        self._tls = pacs.tls_asking()
        self._asking: Association | None = None
        self._getting: tuple[Association, frozenset[str]] | None = None
        self._listener: Listener | None = None
        self._storing = None if take is None else Storing(take)
        try:
            self.way = self._way(how, listen)
            if self.way == "move" and self._storing is not None:
                self._listener = Listener(pacs, address=listen, storing=self._storing)
        except BaseException:
            self._leave(at_once=True)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take leave, at once where something went wrong, and close the port."""
        self._leave(at_once=kind is not None)
        if self._listener is not None:
            self._listener.__exit__(kind, error, trace)

    def find_studies(self, question: Question) -> Sequence[Mapping[str, str]]:
        """Return what the PACS says of the studies that a question asks for.

        Raises:
            DroppedError: The connection was lost.
            PeerError: The PACS refuses.
        """
        keys = {**dict.fromkeys(FIELDS, ""), **question.keys}
        return [{name: _text(found, name) for name in FIELDS} for found in self._find("STUDY", keys)]

    def list_series(self, study: str) -> Sequence[Series]:
        """Return the series of a study, with the instances that it lists.

        Raises:
            DroppedError: The connection was lost.
            PeerError: The PACS refuses.
        """
        keys = {
            "StudyInstanceUID": study,
            "SeriesInstanceUID": "",
            "Modality": "",
            "NumberOfSeriesRelatedInstances": "",
        }
        found = list(self._find("SERIES", keys))
        return [self._series(study, one) for one in found if _text(one, "SeriesInstanceUID")]

    def retrieve(self, series: Series, lacking: Sequence[Instance]) -> None:
        """Have instances sent to who takes them; all of the series where `lacking` is empty.

        Raises:
            DroppedError: The connection was lost.
            PeerError: The PACS refuses.
            OSError: What comes cannot be written.
        """
        keys = {"QueryRetrieveLevel": "SERIES", "StudyInstanceUID": series.study, "SeriesInstanceUID": series.uid}
        parts = [lacking[at : at + _MOST_UIDS] for at in range(0, len(lacking), _MOST_UIDS)]
        for part in parts or [()]:
            identifier = _identifier(keys)
            if part:
                identifier.QueryRetrieveLevel = "IMAGE"
                identifier.SOPInstanceUID = [one.uid for one in part]
            if self.way == "get":
                self._get(identifier, [one.sop_class for one in (part or series.instances) if one.sop_class])
            else:
                self._move(identifier)

    def _way(self, how: str, listen: str) -> str:
        """Return "get" or "move": what was asked for and the PACS accepts."""
        accepted = {context.abstract_syntax for context in self._association().accepted_contexts}
        if FIND not in accepted:
            raise PeerError("The PACS answers no questions to us (C-FIND). Ask its administrator to allow it.")
        if how == "auto":
            how = "get" if GET in accepted else "move"
        if {"get": GET, "move": MOVE}[how] not in accepted:
            raise PeerError(f"The PACS does not accept C-{how.upper()} from us. Try --how, or ask its administrator.")
        if how == "move" and not listen and self._storing is not None:
            raise InputError(
                "The PACS sends by C-MOVE, which needs a port of ours: --listen 0.0.0.0:11112. Its administrator must "
                "have entered our AE title with that port."
            )
        return how

    def _association(self) -> Association:
        if self._asking is None or not self._asking.is_established:
            self._asking = self._associated([build_context(one) for one in (FIND, GET, MOVE)])
        return self._asking

    def _associated(self, contexts: list[PresentationContext], storing: Storing | None = None) -> Association:
        roles = {one.abstract_syntax for one in contexts} - {FIND, GET, MOVE} if storing else set()
        made = self._application.associate(
            self._pacs.host, self._pacs.port, contexts=contexts, ae_title=self._pacs.title,
            max_pdu=LARGEST_PDU, tls_args=None if self._tls is None else (self._tls, self._pacs.host),
            ext_neg=[build_role(one, scp_role=True) for one in sorted(map(str, roles))],
            evt_handlers=[(evt.EVT_CONN_OPEN, hurry), *([(evt.EVT_C_STORE, storing)] if storing else [])],
        )  # fmt: skip
        if made.is_established:
            return made
        if made.is_rejected:
            raise PeerError(
                f"The PACS does not accept an association between {self._pacs.calling} and {self._pacs.title}. "
                "Check both AE titles; its administrator must have entered ours."
            )
        tls = "" if self._tls is None else " Over TLS it must show a certificate that --ca trusts, and may want ours."
        raise DroppedError(f"No PACS answers at {self._pacs.address}. Check address and port, and the way there.{tls}")

    def _find(self, level: str, keys: Mapping[str, str]) -> Iterator[Dataset]:
        association = self._association()
        with _dropping():
            for status, found in association.send_c_find(_identifier({"QueryRetrieveLevel": level, **keys}), FIND):
                if _goes_on(status) and found is not None:
                    yield found

    def _series(self, study: str, found: Dataset) -> Series:
        uid, said = _text(found, "SeriesInstanceUID"), _text(found, "NumberOfSeriesRelatedInstances")
        keys = {"StudyInstanceUID": study, "SeriesInstanceUID": uid, "SOPInstanceUID": "", "SOPClassUID": ""}
        listed = {
            _text(one, "SOPInstanceUID"): Instance(
                uid=_text(one, "SOPInstanceUID"), sop_class=_text(one, "SOPClassUID")
            )
            for one in self._find("IMAGE", keys)
        }
        return Series(
            study=study, uid=uid, modality=_text(found, "Modality"), said=int(said) if said.isdigit() else None,
            instances=tuple(listed[one] for one in sorted(listed) if one),
        )  # fmt: skip

    def _get(self, identifier: Dataset, classes: Sequence[str]) -> None:
        association, storing = self._getting_for(frozenset(classes or _USUAL)), self._required_storing()
        try:
            with _dropping():
                for status, _ in association.send_c_get(identifier, GET):
                    storing.require_room()
                    _goes_on(status)
        except BaseException:  # Ctrl-C too: what still comes is not waited for
            association.abort()
            raise
        storing.require_room()

    def _getting_for(self, classes: frozenset[str]) -> Association:
        """Return an association in which instances of some classes can come: the last one, where it is fit for that."""
        if self._getting is not None:
            last, its_own = self._getting
            if last.is_established and classes <= its_own:
                return last
            _release(last)
        contexts = [build_context(GET), *storage_contexts(classes, room=MOST_CONTEXTS - 1)]
        made = self._associated(contexts, self._required_storing())
        self._getting = made, classes
        _require_get(made)
        return made

    def _move(self, identifier: Dataset) -> None:
        storing = self._required_storing()
        with _dropping():
            for status, _ in self._association().send_c_move(identifier, self._pacs.calling, MOVE):
                storing.require_room()
                _goes_on(status)
        storing.require_room()

    def _leave(self, *, at_once: bool) -> None:
        for one in (self._asking, self._getting and self._getting[0]):
            if at_once and one is not None:
                one.abort()
            elif one is not None:
                _release(one)

    def _required_storing(self) -> Storing:
        if self._storing is None:
            raise InputError("Nobody takes what the PACS would send.")
        return self._storing


def _release(association: Association) -> None:
    if association.is_established:
        association.release()


def _require_get(association: Association) -> None:
    accepted = {context.abstract_syntax for context in association.accepted_contexts}
    if GET not in accepted or len(accepted) < 2:
        raise PeerError("The PACS does not accept C-GET for images of this class. --how move asks it the other way.")


@contextmanager
def _dropping() -> Iterator[None]:
    """Turn pynetdicom's word for a lost association into ours."""
    try:
        yield
    except RuntimeError as error:
        raise DroppedError(_DROPPED) from error


def _identifier(keys: Mapping[str, str]) -> Dataset:
    made = Dataset()
    for name, value in keys.items():
        setattr(made, name, value)
    if not all(value.isascii() for value in keys.values()):
        made.SpecificCharacterSet = "ISO_IR 192"
    return made


def _text(found: Dataset, name: str) -> str:
    value = found.get(name)
    if value is None:
        return ""
    return "\\".join(map(str, value)) if isinstance(value, list | tuple) else str(value).strip()


def _goes_on(status: Dataset) -> bool:
    """Return whether more will come.

    Raises:
        DroppedError: The association is gone, or the PACS has no room now.
        PeerError: It refuses.
    """
    code = status.get("Status")
    if code is None:
        raise DroppedError(_DROPPED)
    if code in _PENDING:
        return True
    if code == 0 or code in _WARNED:
        return False
    if code in _LATER:
        raise DroppedError(f"The PACS has no room to answer now (status {code:04X}).")
    raise PeerError(f"The PACS refuses (status {code:04X}): {_MEANS.get(code, 'it does not say why')}.")
