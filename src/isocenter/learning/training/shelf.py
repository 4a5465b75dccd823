"""Cases prepared once and kept: to learn from, and to look at on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from isocenter.case import Case
from isocenter.errors import InputError, IsocenterError
from isocenter.learning.training.material import Cases, Loader, mapped, spread

_SMALL = 4096  # bytes: a target of a few numbers is no file of its own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """A prepared case.

    Args:
        image: (channel, s, r, c).
        target: As the task encodes it: (s, r, c) int16 of outlines, (n,) float32 of a whole image.
        present: Of outlines, the classes that occur, background left out.
        centres: For each of them, (n, 3) places of some of its voxels.
    """

    image: Tensor
    target: Tensor
    present: tuple[int, ...] = ()
    centres: tuple[Tensor, ...] = ()


class Shelf:
    """Cases prepared once and kept: in memory while they fit into a share of it, else as files mapped into it.

    Args:
        loaders: Each loads one case whose answer is known; called once.
        make: Prepares it.
        folder: Where mapped files go; they are overwritten freely and may be deleted after the run.
        room: Bytes of memory that samples may fill.
    """

    def __init__(self, loaders: Sequence[Loader], make: Callable[[Case], Sample], *, folder: Path, room: int) -> None:
        self._loaders = tuple(loaders)
        self._make, self._folder, self._room = make, folder, room
        self._samples: dict[int, Sample] = {}
        self._filled = 0

    def __len__(self) -> int:
        return len(self._loaders)

    def __getitem__(self, place: int) -> Sample:
        """Return a sample, prepared now if it has not been.

        Raises:
            InputError: The case cannot be prepared as the plan says, or its answer is none that the goal knows.
            TrainingError: The disk is full.
        """
        if place not in self._samples:
            case = self._loaders[place]()
            try:
                sample = self._make(case)
            except IsocenterError as error:
                raise InputError(f"Case {case.id}: {error}") from error
            self._samples[place] = self._kept(place, sample)
        return self._samples[place]

    def _kept(self, place: int, sample: Sample) -> Sample:
        size = sample.image.nbytes + sample.target.nbytes
        if self._filled + size <= self._room:
            self._filled += size
            return sample
        self._folder.mkdir(parents=True, exist_ok=True)
        sample = replace(sample, image=mapped(sample.image, self._folder / f"{place}.image.npy"))
        if sample.target.nbytes <= _SMALL:
            return sample
        return replace(sample, target=mapped(sample.target, self._folder / f"{place}.target.npy"))


class Shelves:
    """The cases of a run: what it learns from, and of those to validate on what it looks at.

    Args:
        cases: Of both sides.
        make: Prepares one.
        most: Looked at.
        folder, room: See Shelf.
    """

    def __init__(self, cases: Cases, make: Callable[[Case], Sample], *, most: int, folder: Path, room: int) -> None:
        self.learnt = Shelf(cases.train, make, folder=folder, room=room)
        self.shown = Shelf(spread(cases.validation, most=most), make, folder=folder / "shown", room=room // 4)

    def __len__(self) -> int:
        return len(self.learnt) + len(self.shown)

    @property
    def looked_at(self) -> int:
        """How many validation cases a look looks at."""
        return len(self.shown)

    def prepare(self, place: int) -> None:
        """Prepare one case: see Material."""
        if place < len(self.learnt):
            self.learnt[place]
        else:
            self.shown[place - len(self.learnt)]
