"""The port that a PACS sends to while it obeys a C-MOVE, and the answer to each C-STORE."""

import socket
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType

from pynetdicom import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    build_context,
    evt,
)
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from isocenter.clinic.hospital.pacs import Pacs
from isocenter.clinic.hospital.query.archive import Outcome, Take
from isocenter.errors import InputError

# What a C-STORE is answered with (PS3.4 table B.2-1, PS3.7 C.5).
_STATUS: dict[Outcome, int] = {
    "kept": 0x0000,
    "there": 0x0000,
    "apart": 0x0000,
    "foreign": 0x0124,  # refused: not authorized
    "damaged": 0xC000,  # error: cannot understand
}
_FULL = 0xA700  # refused: out of resources
LARGEST_PDU = 1 << 17
"""Bytes: the default of 16 KiB makes a CT slice 32 turns of the state machine."""
MOST_CONTEXTS = 128
"""Presentation contexts in one association: their ids are the odd numbers of a byte (PS3.8 9.3.2.2)."""

# The commonest first: where classes are many, the last ones are not proposed.
SYNTAXES = tuple(
    dict.fromkeys(
        (
            "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90",
            "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80",
            "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
            "1.2.840.10008.1.2.4.57", *ALL_TRANSFER_SYNTAXES,
        )
    )
)  # fmt: skip


class Storing:
    """Answers C-STORE requests by handing the instance on; what the disk refuses is kept for whoever asked."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self.refused: OSError | None = None

    def __call__(self, event: evt.Event) -> int:
        """Return the status of one C-STORE."""
        try:
            return _STATUS[self._take(event.encoded_dataset())]
        except OSError as error:  # in a thread of the network's: the step hears of it when the transfer ends
            self.refused = error
            return _FULL

    def require_room(self) -> None:
        """Do nothing where everything could be written.

        Raises:
            OSError: The disk is full, or the folder may not be written.
        """
        if self.refused is not None:
            raise self.refused


class Listener(AbstractContextManager["Listener"]):
    """A port that is open while the block lasts, to whoever calls us by our AE title.

    Only what was asked for is taken; who takes it decides.

    Raises:
        InputError: The port is in use, or no address of this machine.
        FileError: A certificate cannot be read.
    """

    def __init__(self, pacs: Pacs, *, address: str, storing: Storing) -> None:
        host, port = address_of(address)
        entity = application(pacs)
        entity.require_called_aet = True
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), list(SYNTAXES))
        entity.add_supported_context(Verification)
        tls = pacs.tls_listening()
        try:
            self._server = entity.start_server(
                (host, port), block=False, ssl_context=tls,
                evt_handlers=[(evt.EVT_C_STORE, storing), (evt.EVT_CONN_OPEN, hurry)],
            )  # fmt: skip
        except OSError as error:
            raise InputError(
                f"No images can be taken at {address}: {error.strerror or error}. Name another port with --listen, "
                "and tell the PACS."
            ) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.shutdown()


def hurry(event: evt.Event) -> None:
    """Have short messages leave at once: a question waits 50 ms less for the kernel to fill a packet (RFC 896)."""
    connection = event.assoc.dul.socket
    if connection is not None and connection.socket is not None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def address_of(text: str) -> tuple[str, int]:
    """Return address and port of "0.0.0.0:11112"; of a port alone, every address of this machine.

    Raises:
        InputError: It is neither.
    """
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise InputError("--listen takes a port that the PACS can reach, such as 0.0.0.0:11112.")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - asked for: --listen with a port alone


def application(pacs: Pacs) -> AE:
    """Return our application entity, which waits for a PACS as long as it may be silent."""
    entity = AE(ae_title=pacs.calling)
    entity.maximum_pdu_size = LARGEST_PDU
    entity.connection_timeout = min(pacs.timeout_s, 20.0)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = pacs.timeout_s
    return entity


def storage_contexts(classes: Iterable[str], *, room: int) -> list[PresentationContext]:
    """Return contexts in which instances of some classes can be sent as they are stored, without transcoding.

    A context accepts one transfer syntax (PS3.8 9.3.3.2); hence one for each class and syntax, as many as there is
    room for.

    Args:
        classes: SOP class UIDs.
        room: How many contexts at most.
    """
    wanted = sorted(set(classes))[:room]
    if not wanted:
        return []
    each = min(len(SYNTAXES), room // len(wanted))
    return [build_context(one, [syntax]) for one in wanted for syntax in SYNTAXES[:each]]
