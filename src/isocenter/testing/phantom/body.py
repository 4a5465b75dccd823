"""A body made of ellipsoids: what lies where is known without measuring."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import pi

import numpy as np
import numpy.typing as npt

from isocenter.errors import LabelError
from isocenter.image import Affine, Code, Label, LabelTable, Mask, Volume

_AIR = {"CT": -1000, "MR": 0}
_NOISE = 8.0  # standard deviation, in HU or in units of the MR scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipsoid:
    """One structure whose axes run along x, y, z.

    Args:
        name: As in the label table; the outermost shape, "trunk", bears no label.
        centre: LPS position in mm.
        radii: Half axes along x, y, z in mm.
        hu: Its value on a CT; an MR shows `mr`.
        mr: Its value on an MR.
        code: What the structure is, for those who read labels by code.
    """

    name: str
    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    hu: int
    mr: int
    code: Code | None = None

    @property
    def volume_ml(self) -> float:
        """Its volume in millilitres: 4/3 π abc."""
        a, b, c = self.radii
        return 4 / 3 * pi * a * b * c / 1000.0

    def holds(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return which LPS positions, shape (..., 3) in mm, lie inside."""
        return np.asarray((((points - self.centre) / self.radii) ** 2).sum(axis=-1) <= 1.0)


def _sct(value: str, meaning: str) -> Code:
    return Code(value=value, scheme="SCT", meaning=meaning)


# No two parts mirror each other along any axis: a body laid on its side, mirrored or turned gives itself away.
_TRUNK = Ellipsoid(name="trunk", centre=(0, 0, 0), radii=(34, 26, 38), hu=-20, mr=200)
_ORGANS = (
    Ellipsoid(name="liver", centre=(-14, -4, 5), radii=(13, 11, 9), hu=110, mr=420, code=_sct("10200004", "Liver")),
    Ellipsoid(name="spleen", centre=(19, 5, 9), radii=(6, 5, 8), hu=180, mr=520, code=_sct("78961009", "Spleen")),
    Ellipsoid(name="heart", centre=(5, -7, 24), radii=(8, 7, 7), hu=250, mr=640, code=_sct("80891009", "Heart")),
    Ellipsoid(name="bladder", centre=(3, -9, -24), radii=(9, 6, 7), hu=40, mr=900, code=_sct("89837001", "Bladder")),
    Ellipsoid(name="spine", centre=(0, 18, -4), radii=(5, 5, 24), hu=500, mr=90, code=_sct("421060004", "Spine")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A trunk of about 70 x 50 x 80 mm with five organs, none of them overlapping.

    The liver lies on the right, the spleen on the left, the heart above, the bladder below, the spine behind.

    Args:
        trunk: What is around the organs; bears no label.
        organs: Numbered from 1 in the label table.
    """

    trunk: Ellipsoid = _TRUNK
    organs: tuple[Ellipsoid, ...] = _ORGANS

    @property
    def table(self) -> LabelTable:
        """The organs, numbered from 1."""
        labels = (Label(value=n, name=organ.name, code=organ.code) for n, organ in enumerate(self.organs, 1))
        return LabelTable(labels=tuple(labels))

    def organ(self, name: str) -> Ellipsoid:
        """Return the organ of that name.

        Raises:
            LabelError: The body has no such organ.
        """
        for organ in self.organs:
            if organ.name == name:
                return organ
        raise LabelError(f"The body has no {name!r}; it has {', '.join(organ.name for organ in self.organs)}.")

    def only(self, *names: str) -> "Body":
        """Return the body with these organs alone, numbered from 1 in the order given.

        Raises:
            LabelError: The body has no such organ.
        """
        return replace(self, organs=tuple(self.organ(name) for name in names))

    def moved(self, by: Sequence[float]) -> "Body":
        """Return the body shifted by (x, y, z) mm."""
        return replace(self, trunk=_moved(self.trunk, by), organs=tuple(_moved(organ, by) for organ in self.organs))

    def varied(self, rng: np.random.Generator) -> "Body":
        """Return another patient: each organ up to 1.5 mm elsewhere, each radius up to 12 % off."""
        return replace(self, organs=tuple(_varied(organ, rng) for organ in self.organs))

    def sample(
        self, affine: Affine, shape: Sequence[int], *, modality: str = "CT", rng: np.random.Generator | None = None
    ) -> tuple[Volume, Mask]:
        """Return the body as a scanner with that grid would store it, and where its organs truly are.

        A voxel belongs to what holds its centre; the grid may be oblique or sheared.

        Args:
            affine: Of the grid.
            shape: (slices, rows, columns).
            modality: "CT" (HU, int16) or "MR" (int16, no unit).
            rng: Adds noise where given.
        """
        voxels = np.full(tuple(shape), _AIR[modality], dtype=np.int16)
        labels = np.zeros(tuple(shape), dtype=np.uint8)
        rows, columns = np.indices(tuple(shape[1:]))
        for number in range(shape[0]):
            points = affine.to_world(np.stack([np.full_like(rows, number), rows, columns], axis=-1))
            voxels[number][self.trunk.holds(points)] = _value(self.trunk, modality)
            for value, organ in enumerate(self.organs, 1):
                inside = organ.holds(points)
                voxels[number][inside] = _value(organ, modality)
                labels[number][inside] = value
        if rng is not None:
            noise = rng.normal(scale=_NOISE, size=voxels.shape)
            voxels = np.maximum(np.rint(voxels + noise), -1024 if modality == "CT" else 0).astype(np.int16)
        volume = Volume(voxels=voxels, affine=affine, unit="HU" if modality == "CT" else "1", modality=modality)
        return volume, Mask(labels=labels, affine=affine, table=self.table)


def _value(part: Ellipsoid, modality: str) -> int:
    return part.hu if modality == "CT" else part.mr


def _moved(part: Ellipsoid, by: Sequence[float]) -> Ellipsoid:
    x, y, z = part.centre
    return replace(part, centre=(x + by[0], y + by[1], z + by[2]))


def _varied(organ: Ellipsoid, rng: np.random.Generator) -> Ellipsoid:
    a, b, c = (float(radius * rng.uniform(0.88, 1.12)) for radius in organ.radii)
    return replace(_moved(organ, rng.uniform(-1.5, 1.5, size=3).tolist()), radii=(a, b, c))
