"""What a data set looks like, measured once: what the plan is decided from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isocenter.case import Case
from isocenter.errors import InputError
from isocenter.image import LabelTable
from isocenter.learning.inference.evaluate import reference_mask

ORIENTATION = "SPL"  # the axes of an axial CT as most scanners store it: feet to head, front to back, right to left
_SAMPLES = 10_000  # voxels kept of each case, and of its structures: percentiles stand still long before
_PERCENTILES = (0.5, 50.0, 99.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """How the values of one role are spread.

    Args:
        low, median, high: Percentiles 0.5, 50 and 99.5.
        inside_low, inside_high, inside_mean, inside_spread: The same of voxels inside structures, and their mean and
            standard deviation; of all voxels where nothing is labelled.
    """

    modality: str
    unit: str
    low: float
    median: float
    high: float
    inside_low: float
    inside_high: float
    inside_mean: float
    inside_spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A data set in figures, axes laid towards ORIENTATION.

    Args:
        shapes, spacings_mm: Of each case's first volume, (slice, row, column).
        is_planar: Whether the cases are pictures of one slice.
        values: By role, of the roles that every case has.
        some_roles: Roles that only some cases have.
        voxels: Structure (labels and regions) to its voxels in each labelled case.
        labelled: Cases with an annotation.
    """

    shapes: tuple[tuple[int, int, int], ...]
    spacings_mm: tuple[tuple[float, float, float], ...]
    is_planar: bool
    values: Mapping[str, Values]
    some_roles: tuple[str, ...] = ()
    voxels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    labelled: int = 0

    @property
    def cases(self) -> int:
        """How many cases were looked at."""
        return len(self.shapes)


def fingerprint(
    cases: Iterable[Case], *, table: LabelTable, progress: Callable[[int], None] | None = None
) -> Fingerprint:
    """Return what a data set looks like; cases are held one at a time.

    Args:
        cases: Those to learn from, and no others: a plan must not have seen the test side.
        table: Whose structures are counted.
        progress: Told after each case how many were seen.

    Raises:
        InputError: No case, no role that all cases share, or pictures mixed with volumes.
    """
    seen = _Seen(table)
    for count, case in enumerate(cases, 1):
        seen.add(case)
        if progress is not None:
            progress(count)
    return seen.summary()


class _Seen:
    """What was measured so far."""

    def __init__(self, table: LabelTable) -> None:
        self.table = table
        self.shapes: list[tuple[int, int, int]] = []
        self.spacings: list[tuple[float, float, float]] = []
        self.planar: set[bool] = set()
        self.everywhere: dict[str, list[npt.NDArray[np.float32]]] = {}
        self.inside: dict[str, list[npt.NDArray[np.float32]]] = {}
        self.kind: dict[str, tuple[str, str]] = {}
        self.voxels: dict[str, list[int]] = {name: [] for name in table.structures}
        self.labelled = 0

    def add(self, case: Case) -> None:
        """Take one case into account.

        Raises:
            InputError: Its values mean something else than those of the cases before.
        """
        first = next(iter(case.volumes.values()))
        turned = first.oriented(ORIENTATION)
        self.shapes.append(turned.shape)
        self.spacings.append(turned.affine.spacing)
        self.planar.add(first.is_planar)
        marked = None
        if case.annotations:
            mask = reference_mask(case)
            self.labelled += 1
            marked = np.isin(mask.labels, [label.value for label in self.table])
            for name, values in self.table.structures.items():
                self.voxels[name].append(int(np.isin(mask.labels, values).sum()))
        for role, volume in case.volumes.items():
            kind = (volume.modality, volume.unit)
            if self.kind.setdefault(role, kind) != kind:
                others = " in ".join(self.kind[role])
                raise InputError(
                    f"Case {case.id}: its {role!r} is {' in '.join(kind)}, that of other cases {others}. "
                    "Make a data set of each."
                )
            same_grid = marked is not None and volume.channels == 1 and volume.shape == marked.shape
            self.everywhere.setdefault(role, []).append(_some(volume.voxels.reshape(-1)))
            chosen = _some(volume.voxels[marked]) if same_grid else _some(volume.voxels.reshape(-1))
            self.inside.setdefault(role, []).append(chosen)

    def summary(self) -> Fingerprint:
        """Return what was measured of all cases.

        Raises:
            InputError: See fingerprint.
        """
        if not self.shapes:
            raise InputError("There is no case to learn from.")
        if len(self.planar) > 1:
            raise InputError("Some cases are pictures of one slice and some are volumes; make a data set of each.")
        shared = [role for role, found in self.everywhere.items() if len(found) == len(self.shapes)]
        if not shared:
            roles = ", ".join(sorted(self.everywhere))
            raise InputError(f"No role is in every case ({roles}); a network needs the same inputs everywhere.")
        return Fingerprint(
            shapes=tuple(self.shapes),
            spacings_mm=tuple(self.spacings),
            is_planar=self.planar == {True},
            values={role: self._values(role) for role in shared},
            some_roles=tuple(role for role in self.everywhere if role not in shared),
            voxels={name: tuple(counts) for name, counts in self.voxels.items()},
            labelled=self.labelled,
        )

    def _values(self, role: str) -> Values:
        everywhere = np.concatenate(self.everywhere[role])
        inside = np.concatenate(self.inside[role])
        inside = inside if inside.size else everywhere
        low, median, high = (float(value) for value in np.percentile(everywhere, _PERCENTILES))
        inside_low, _, inside_high = (float(value) for value in np.percentile(inside, _PERCENTILES))
        modality, unit = self.kind[role]
        kept = np.clip(inside, inside_low, inside_high).astype(np.float64)
        return Values(
            modality=modality, unit=unit, low=low, median=median, high=high, inside_low=inside_low,
            inside_high=inside_high, inside_mean=float(kept.mean()), inside_spread=float(kept.std()),
        )  # fmt: skip


def _some(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Return at most _SAMPLES of the values, drawn with a fixed seed: even steps could keep to one column."""
    if values.size <= _SAMPLES:
        return np.asarray(values, dtype=np.float32)
    places = np.random.default_rng(0).integers(values.size, size=_SAMPLES)
    return np.asarray(values[places], dtype=np.float32)
