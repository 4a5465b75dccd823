"""What a data set looks like, measured once: what the plan is decided from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isocenter.case import Case, Fact
from isocenter.errors import InputError
from isocenter.image import LabelTable
from isocenter.learning.inference.evaluate import reference_mask

ORIENTATION = "SPL"  # the axes of an axial CT as most scanners store it: feet to head, front to back, right to left
_SAMPLES = 10_000  # voxels kept of each case, and of its structures: percentiles stand still long before
_MOST_SAMPLES = 4_000_000  # of all cases: 16 MB, also where there are a hundred thousand pictures
_PERCENTILES = (0.5, 50.0, 99.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """How the values of one role are spread.

    Args:
        low, median, high: Percentiles 0.5, 50 and 99.5.
        inside_low, inside_high, inside_mean, inside_spread: The same of voxels inside structures, and their mean and
            standard deviation; of all voxels where nothing is labelled.
        colours: 3 where any case is in colour.
        has_size: Whether every case says how large its voxels are.
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
    colours: int = 1
    has_size: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A data set in figures, axes laid towards ORIENTATION.

    Args:
        shapes, spacings_mm: Of each case's first volume, (slice, row, column); steps of 1 where any case does not say
            how large its voxels are.
        is_planar: Whether the cases are pictures of one slice.
        values: By role, of the roles that every case has.
        some_roles: Roles that only some cases have.
        voxels: Structure (labels and regions) to its voxels in each labelled case.
        labelled: Cases with an annotation.
        facts: Name to what is known of each case, None where a case has no such fact.
        ids: Of the cases.
    """

    shapes: tuple[tuple[int, int, int], ...]
    spacings_mm: tuple[tuple[float, float, float], ...]
    is_planar: bool
    values: Mapping[str, Values]
    some_roles: tuple[str, ...] = ()
    voxels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    labelled: int = 0
    facts: Mapping[str, tuple[Fact | None, ...]] = field(default_factory=dict)
    ids: tuple[str, ...] = ()

    @property
    def cases(self) -> int:
        """How many cases were looked at."""
        return len(self.shapes)


def fingerprint(
    cases: Iterable[Case], *, table: LabelTable | None, progress: Callable[[int], None] | None = None
) -> Fingerprint:
    """Return what a data set looks like; cases are held one at a time.

    Args:
        cases: Those to learn from, and no others: a plan must not have seen the test side.
        table: Whose structures are counted; None where nothing is outlined.
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

    def __init__(self, table: LabelTable | None) -> None:
        self.table = table
        self.shapes: list[tuple[int, int, int]] = []
        self.spacings: list[tuple[float, float, float]] = []
        self.planar: set[bool] = set()
        self.everywhere: dict[str, _Sampled] = {}
        self.inside: dict[str, _Sampled] = {}
        self.coloured: set[str] = set()
        self.sizeless: set[str] = set()
        self.facts: dict[str, dict[int, Fact]] = {}
        self.ids: list[str] = []
        self.kind: dict[str, tuple[str, str]] = {}
        self.voxels: dict[str, list[int]] = {name: [] for name in table.structures} if table else {}
        self.labelled = 0

    def add(self, case: Case) -> None:
        """Take one case into account.

        Raises:
            InputError: Its values mean something else than those of the cases before.
        """
        for name, fact in case.facts.items():
            self.facts.setdefault(name, {})[len(self.ids)] = fact
        self.ids.append(case.id)
        first = next(iter(case.volumes.values()))
        turned = first if first.is_planar else first.oriented(ORIENTATION)
        self.shapes.append(turned.shape)
        self.spacings.append(turned.affine.spacing)
        self.planar.add(first.is_planar)
        marked = self._marked(case)
        for role, volume in case.volumes.items():
            self._require_kind(case, role)
            if volume.channels > 1:
                self.coloured.add(role)
            if not volume.has_size:
                self.sizeless.add(role)
            same_grid = marked is not None and volume.shape == marked.shape
            self.everywhere.setdefault(role, _Sampled()).add(volume.voxels.reshape(-1))
            if self.table is not None:
                chosen = volume.voxels[..., marked] if same_grid else volume.voxels
                self.inside.setdefault(role, _Sampled()).add(chosen.reshape(-1))

    def _marked(self, case: Case) -> npt.NDArray[np.bool_] | None:
        """Return where any label of a case lies, and count it; None where nothing is outlined."""
        if self.table is None or not case.annotations:
            return None
        mask = reference_mask(case)
        self.labelled += 1
        for name, values in self.table.structures.items():
            self.voxels[name].append(int(np.isin(mask.labels, values).sum()))
        return np.isin(mask.labels, [label.value for label in self.table])

    def _require_kind(self, case: Case, role: str) -> None:
        """Do nothing where a volume's values mean what those of the cases before mean.

        Raises:
            InputError: They do not.
        """
        volume = case.volumes[role]
        kind = (volume.modality, volume.unit)
        if self.kind.setdefault(role, kind) != kind:
            others = " in ".join(self.kind[role])
            raise InputError(
                f"Case {case.id}: its {role!r} is {' in '.join(kind)}, that of other cases {others}. "
                "Make a data set of each."
            )

    def summary(self) -> Fingerprint:
        """Return what was measured of all cases.

        Raises:
            InputError: See fingerprint.
        """
        if not self.shapes:
            raise InputError("There is no case to learn from.")
        if len(self.planar) > 1:
            raise InputError("Some cases are pictures of one slice and some are volumes; make a data set of each.")
        shared = [role for role, found in self.everywhere.items() if found.cases == len(self.shapes)]
        if not shared:
            roles = ", ".join(sorted(self.everywhere))
            raise InputError(f"No role is in every case ({roles}); a network needs the same inputs everywhere.")
        return Fingerprint(
            shapes=tuple(self.shapes),
            spacings_mm=((1.0, 1.0, 1.0),) * len(self.shapes) if self.sizeless else tuple(self.spacings),
            is_planar=self.planar == {True},
            values={role: self._values(role) for role in shared},
            some_roles=tuple(role for role in self.everywhere if role not in shared),
            voxels={name: tuple(counts) for name, counts in self.voxels.items()},
            labelled=self.labelled,
            facts={name: tuple(held.get(place) for place in range(len(self.ids))) for name, held in self.facts.items()},
            ids=tuple(self.ids),
        )

    def _values(self, role: str) -> Values:
        everywhere = self.everywhere[role].all()
        inside = self.inside[role].all() if role in self.inside else everywhere
        inside = inside if inside.size else everywhere
        low, median, high = (float(value) for value in np.percentile(everywhere, _PERCENTILES))
        inside_low, _, inside_high = (float(value) for value in np.percentile(inside, _PERCENTILES))
        modality, unit = self.kind[role]
        kept = np.clip(inside, inside_low, inside_high).astype(np.float64)
        return Values(
            modality=modality, unit=unit, low=low, median=median, high=high, inside_low=inside_low,
            inside_high=inside_high, inside_mean=float(kept.mean()), inside_spread=float(kept.std()),
            colours=3 if role in self.coloured else 1, has_size=not self.sizeless,
        )  # fmt: skip


class _Sampled:
    """Values of many cases, a few of each; thinned by half whenever there are too many of them."""

    def __init__(self) -> None:
        self.cases = 0
        self._each = _SAMPLES
        self._held: list[npt.NDArray[np.float32]] = []
        self._count = 0

    def add(self, values: npt.NDArray[np.generic]) -> None:
        """Take some of a case's values."""
        self.cases += 1
        self._held.append(_some(values, most=self._each))
        self._count += len(self._held[-1])
        if self._count > _MOST_SAMPLES:
            self._each = max(1, self._each // 2)
            self._held = [self.all()[::2].copy()]
            self._count = len(self._held[0])

    def all(self) -> npt.NDArray[np.float32]:
        """Return what is held."""
        return np.concatenate(self._held)


def _some(values: npt.NDArray[np.generic], *, most: int) -> npt.NDArray[np.float32]:
    """Return at most so many of the values, drawn with a fixed seed: even steps could keep to one column."""
    if values.size <= most:
        return np.asarray(values, dtype=np.float32)
    places = np.random.default_rng(0).integers(values.size, size=most)
    return np.asarray(values[places], dtype=np.float32)
