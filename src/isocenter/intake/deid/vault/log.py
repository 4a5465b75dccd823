"""What was asked of a vault, by whom and why: lines that each hold on to the one before."""

import hmac
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from isocenter.errors import SealError
from isocenter.image.aside import write_whole
from isocenter.security.cipher import Lock
from isocenter.security.keyed import Keyed

LOG, HEAD = "log.jsonl", "log.head"

Deed = Literal["made", "kept", "found", "erased", "rotated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the log.

    Args:
        at: UTC, ISO 8601.
        who: Account that asked.
        deed: What was done.
        about: Pseudonym, run or project that it was done with.
        purpose: Why.
    """

    at: str
    who: str
    deed: Deed
    about: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Log:
    """The log of one vault. Its lines can be read by anybody, and written or taken away by nobody without the key.

    Args:
        folder: Of the vault.
        lock: Of the vault; it locks how many lines there are.
        keyed: The vault's secret; it makes the code of every line.
    """

    folder: Path
    lock: Lock
    keyed: Keyed

    def begin(self) -> None:
        """Make an empty log."""
        self._write_head(0, b"")

    def note(self, deed: Deed, *, about: str, purpose: str, who: str) -> None:
        """Write a line; it is on the disk when this returns.

        Raises:
            SealError: The log was changed.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.copy(Line(at=at, who=who, deed=deed, about=about, purpose=purpose))

    def copy(self, line: Line) -> None:
        """Write a line of another log, with the time that it had there."""
        count, last = self._head()
        text = json.dumps(asdict(line), sort_keys=True, ensure_ascii=False)
        code = self._code(last, text)
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(f"{code.hex()} {text}\n")
            file.flush()
            os.fsync(file.fileno())
        self._write_head(count + 1, code)

    def lines(self) -> tuple[Line, ...]:
        """Return every line.

        Raises:
            SealError: A line was changed, added or taken away.
        """
        count, last = self._head()
        path = self.folder / LOG
        code, found = b"", list[Line]()
        at_count = b"" if count == 0 else None
        for number, written in enumerate(path.read_text(encoding="utf-8").splitlines() if path.is_file() else (), 1):
            said, _, text = written.partition(" ")
            code = self._code(code, text)
            if not hmac.compare_digest(said, code.hex()):
                raise SealError(f"Line {number} of the vault's log was changed, or one before it taken away.")
            found.append(Line(**json.loads(text)))
            at_count = code if number == count else at_count
        if at_count != last:  # a line more than counted is one whose writing was cut off before it was counted
            raise SealError("The end of the vault's log was taken away.")
        return tuple(found)

    def _code(self, before: bytes, text: str) -> bytes:
        return self.keyed.code("log", f"{before.hex()} {text}")

    def _head(self) -> tuple[int, bytes]:
        try:
            count, code = json.loads(self.lock.open((self.folder / HEAD).read_bytes(), about=HEAD))
        except OSError as error:
            raise SealError("The vault's log has lost its head; bring the vault back from a backup.") from error
        return int(count), bytes.fromhex(code)

    def _write_head(self, count: int, code: bytes) -> None:
        write_whole(self.lock.lock(json.dumps([count, code.hex()]).encode(), about=HEAD), self.folder / HEAD)
