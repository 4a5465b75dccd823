"""What runs of de-identification took out, locked archives by run."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from isocenter.errors import NotFoundError
from isocenter.image.aside import write_whole
from isocenter.security.cipher import Lock

_ENDING = ".locked"


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one vault.

    Args:
        folder: Where their archives lie.
        lock: Of the vault.
    """

    folder: Path
    lock: Lock

    @contextmanager
    def begun(self, run: str) -> Iterator[Callable[[str, bytes], None]]:
        """Give what keeps a run's archives, by name; of a run that does not come to its end nothing is kept."""
        with ExitStack() as undone:
            undone.callback(shutil.rmtree, self.folder / run, ignore_errors=True)
            yield partial(self.put, run)
            undone.pop_all()

    def put(self, run: str, name: str, archive: bytes) -> None:
        """Keep what a run took out, locked."""
        (self.folder / run).mkdir(mode=0o700, exist_ok=True)
        write_whole(self.lock.lock(archive, about=f"{run}/{name}"), self._path(run, name))

    def archives(self, run: str) -> Iterator[bytes]:
        """Yield what a run took out.

        Raises:
            NotFoundError: There is no such run.
            SealError: An archive was changed.
        """
        names = [name for one, name in self._names() if one == run]
        if not names:
            raise NotFoundError(f"The vault knows no run {run}. Its id stands in the release's evidence.json.")
        return (self._read(run, name) for name in names)

    def change(self, how: Callable[[bytes], bytes]) -> None:
        """Put another archive in the place of every one that a function changes.

        Raises:
            SealError: An archive was changed by somebody else.
        """
        for run, name, archive in self:
            changed = how(archive)
            if changed != archive:
                self.put(run, name, changed)

    def __iter__(self) -> Iterator[tuple[str, str, bytes]]:
        return ((run, name, self._read(run, name)) for run, name in self._names())

    def _names(self) -> Iterator[tuple[str, str]]:
        paths = sorted(self.folder.glob(f"*/*{_ENDING}"))
        return ((path.parent.name, path.name.removesuffix(_ENDING)) for path in paths)

    def _read(self, run: str, name: str) -> bytes:
        return self.lock.open(self._path(run, name).read_bytes(), about=f"{run}/{name}")

    def _path(self, run: str, name: str) -> Path:
        return self.folder / run / f"{name}{_ENDING}"
