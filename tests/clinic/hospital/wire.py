"""The way to a PACS, which may be cut: a relay on this machine that lets so many bytes back, then drops the rest."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Wire:
    """A relay to a port.

    Args:
        budgets: For each connection, in order, the bytes that come back before it is cut; None lets all through.
            Connections beyond the list are let through.
        opened: How many connections there were.
    """

    port: int
    budgets: list[int | None] = field(default_factory=list)
    opened: int = 0


@contextmanager
def wire(target: int, *budgets: int | None) -> Iterator[Wire]:
    """Give a relay to a port of this machine that lives as long as the block."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = Wire(port=listening.getsockname()[1], budgets=list(budgets))
    threading.Thread(target=_accept, args=(listening, target, made), daemon=True).start()
    try:
        yield made
    finally:
        listening.close()


def _accept(listening: socket.socket, target: int, made: Wire) -> None:
    with suppress(OSError):
        while True:
            here, _ = listening.accept()
            there = socket.create_connection(("127.0.0.1", target))
            budget = made.budgets[made.opened] if made.opened < len(made.budgets) else None
            made.opened += 1
            threading.Thread(target=_pump, args=(here, there, None), daemon=True).start()
            threading.Thread(target=_pump, args=(there, here, budget), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket, budget: int | None) -> None:
    with suppress(OSError):
        while chunk := source.recv(4096):
            if budget is not None:
                budget -= len(chunk)
                if budget < 0:
                    break
            target.sendall(chunk)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
