"""How long a model takes to read on this machine, stage by stage, in each way that it can be run."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.errors import InputError, MissingExtraError, PlanError
from isocenter.image import Mask, write_nifti
from isocenter.image.raster import write_raster
from isocenter.intake.opening import open_input
from isocenter.learning.inference.clock import Clock
from isocenter.learning.inference.example import made_up
from isocenter.learning.inference.fitting import Reading
from isocenter.learning.inference.reader import open_reader
from isocenter.learning.inference.runtime import available, device_here
from isocenter.learning.inference.trial import REFERENCE, agreement
from isocenter.models.model import MANIFEST, Model, read_model
from isocenter.pipeline.ground import Place, Watch, opened
from isocenter.pipeline.public import document, known
from isocenter.recipe import Plan

AUTO = "auto"
STAGES = ("load", "read", "restoration", "prepare", "choose", "network", "blend", "label", "restore", "write", "total")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One way of reading: seconds by stage, of the first reading (loading and choosing counted) and of later ones.

    Args:
        how: Its name, and of outlines the overlap and number of windows; see Choice.brief. Its agreement is the mean
            Dice of the structures between its mask and the reference's on this very image, `least` that of the worst.
        note: Why it could not be measured; empty where it was.
    """

    how: Mapping[str, Any]
    cold: Mapping[str, float] = field(default_factory=dict)
    warm: Sequence[Mapping[str, float]] = ()
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return its figures in ms: per stage, and for the whole reading."""
        names = [stage for stage in STAGES if stage in self.cold]
        stages = [{"stage": name, "cold_ms": _ms(self.cold[name]), **self._spread(name)} for name in names]
        whole = stages.pop() if stages else {"cold_ms": None, "p50_ms": None, "p95_ms": None}
        whole.pop("stage", None)
        return {**self.how, **whole, "stages": stages, "note": self.note}

    def _spread(self, stage: str) -> dict[str, float | None]:
        times = [one[stage] for one in self.warm if stage in one]
        middle, high = np.percentile(times, (50, 95)) if times else (float("nan"), float("nan"))
        return {"p50_ms": _ms(float(middle)), "p95_ms": _ms(float(high))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Benched:
    """How long a model takes to read one image, in each way; the first way is what `predict` does."""

    model: str
    image: Mapping[str, Any]
    rounds: int
    ways: tuple[Timed, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `bench`."""
        ways = [way.to_json() for way in self.ways]
        usual = ways[0]
        return document(
            "bench", model=self.model, image=dict(self.image), rounds=self.rounds, p50_ms=usual["p50_ms"],
            p95_ms=usual["p95_ms"], cold_ms=usual["cold_ms"], runtimes=ways,
        )  # fmt: skip


def bench(
    model: str | Path,
    input: Path | None = None,  # noqa: A002 - its name on every door
    *,
    runtimes: tuple[str, ...] = (),
    rounds: int = 5,
    device: str = "cpu",
    store: Place = None,
    progress: Watch | None = None,
) -> Benched:
    """Return how long a model takes to read an image on this machine, stage by stage, in each way it can be run.

    Nothing is kept but the choice of runtime, which later readings of the model obey.

    Args:
        model: Id, its first digits, "latest", or a model's folder.
        input: What `predict` reads; None takes a made-up image of the kind that the model reads.
        runtimes: Ways to measure; none takes "auto", which is what `predict` does, and every runtime that is there.
        rounds: Readings after the first one.
        device: Where the network computes, as torch names it: "cpu", "cuda", "cuda:1", "mps".
        store: Where the model is kept.
        progress: Told how many readings are done.

    Raises:
        NotFoundError: There is no such model or runtime.
        PlanError: There is no such device.
        SealError: The model was changed.
        FileError, SeriesError, InputError: The input cannot be used, or is not what the model reads; or no rounds.
    """
    if rounds < 1:
        raise InputError(f"{rounds} rounds measure nothing; --rounds is 1 or more.")
    device_here(device)
    folder = Path(model)
    is_folder = (folder / MANIFEST).is_file()
    with opened(store, create_new=is_folder) as house, tempfile.TemporaryDirectory() as scratch:
        kept = read_model(folder if is_folder else house.models.folder(str(model)))
        place = Path(scratch) / "image" if input is None else Path(input)
        if input is None:
            _write_made_up(place, kept.plan)
        asked = _asked(kept, runtimes, device=device)
        table = _Table(kept, place, scratch=Path(scratch), memory=house.speeds, rounds=rounds, device=device)
        ways = tuple(table.timed(name, number, of=len(asked), progress=progress) for number, name in enumerate(asked))
    return Benched(model=kept.id, image=table.image, rounds=rounds, ways=_compared(ways, table.masks))


class _Table:
    """One model and one image on which ways are timed."""

    def __init__(self, model: Model, place: Path, *, scratch: Path, memory: Path, rounds: int, device: str) -> None:
        self.model = model
        self.place = place
        self.scratch = scratch
        self.memory = memory
        self.rounds = rounds
        self.device = device
        self.image: dict[str, Any] = {}
        self.masks: dict[str, Mask] = {}

    def timed(self, name: str, number: int, *, of: int, progress: Watch | None) -> Timed:
        """Return how one way did."""
        clock = Clock()
        try:
            with clock.stage("total"), clock.stage("load"):
                reader = open_reader(self.model, device=self.device, runtime=name or None, memory=self.memory)
            reading = self._once(reader, clock)
        except (PlanError, MissingExtraError, RuntimeError) as error:  # this way; another one may be able
            return Timed(how={"name": name}, note=str(error)[:300])
        if reading.mask is not None:
            self.masks[name] = reading.mask
        warm = []
        for done in range(self.rounds):
            again = Clock()
            self._once(reader, again)
            warm.append(again.seconds)
            if progress is not None:
                progress("bench", number * self.rounds + done + 1, of * self.rounds, name or "torch")
        brief = {} if reading.choice is None else reading.choice.brief() | {"runtime": reading.choice.runtime}
        return Timed(how=brief | {"name": name or "torch"}, cold=clock.seconds, warm=warm)

    def _once(self, reader: Any, clock: Clock) -> Reading:
        with clock.stage("total"):
            with clock.stage("read"):
                found = open_input(self.place, channels=self.model.plan.channels)
            reading: Reading = reader.read(found.volumes)
            with clock.stage("write"):
                if reading.mask is not None:
                    write_nifti(reading.mask, self.scratch / "mask.nii.gz")
        clock.seconds |= reading.seconds
        first = next(iter(found.volumes.values()))
        self.image = {"kind": found.kind, "modality": first.modality, "shape": list(first.shape),
                      "spacing_mm": [known(mm) for mm in first.spacing]}  # fmt: skip
        return reading


def _asked(model: Model, runtimes: tuple[str, ...], *, device: str) -> tuple[str, ...]:
    """Return the ways to measure; the one of a model that answers for whole images has no name."""
    if not model.answers_voxels:
        return ("",)
    return runtimes or (AUTO, *available(device))


def _compared(ways: tuple[Timed, ...], masks: Mapping[str, Mask]) -> tuple[Timed, ...]:
    """Return the ways with their agreement with the reference on the very image, where that was read too."""
    truth = masks.get(REFERENCE)
    if truth is None:
        return ways
    figures = {name: agreement(mask.labels, truth.labels) for name, mask in masks.items()}
    return tuple(
        replace(way, how={**way.how, "agreement": found.mean, "least": found.least})
        if (found := figures.get(way.how["name"])) is not None
        else way
        for way in ways
    )


def _write_made_up(folder: Path, plan: Plan) -> None:
    """Write a made-up image of each role as a file, as a study would lie there.

    Raises:
        InputError: No file of ours says what such an image must say.
    """
    if plan.dimensions == "2-D" and any(one.colours == 3 and one.has_size for one in plan.channels):
        raise InputError(
            "The model reads pictures in colour whose pixels have a known size, which none but DICOM files state. "
            "Name one with --input."
        )
    folder.mkdir()
    for role, volume in made_up(plan, rng=np.random.default_rng(0)).items():
        if volume.channels == 3 or not volume.has_size:  # a PNG does not say how large a pixel is
            write_raster(volume, folder / f"{role}.png")
        else:
            write_nifti(volume, folder / f"{role}.nii.gz")


def _ms(seconds: float) -> float | None:
    return known(round(1000 * seconds, 3))
