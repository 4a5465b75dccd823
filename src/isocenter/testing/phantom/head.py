"""A head with a face of its own, for those who must show that nobody finds it again."""

from dataclasses import replace

import numpy as np

from isocenter.testing.phantom.body import Body, Ellipsoid

_SCALP = Ellipsoid(name="trunk", centre=(0, 0, 0), radii=(78, 98, 93), hu=30, mr=500)
_FACE = (
    Ellipsoid(name="neck", centre=(0, 15, -140), radii=(50, 50, 80), hu=40, mr=300),
    Ellipsoid(name="midface", centre=(0, -45, -60), radii=(60, 50, 65), hu=30, mr=450),
    Ellipsoid(name="jaw", centre=(0, -60, -105), radii=(38, 38, 25), hu=60, mr=400),
    Ellipsoid(name="right cheek", centre=(-36, -72, -55), radii=(22, 20, 22), hu=-20, mr=600),
    Ellipsoid(name="left cheek", centre=(36, -72, -55), radii=(22, 20, 22), hu=-20, mr=600),
    Ellipsoid(name="right eye", centre=(-32, -76, -25), radii=(13, 13, 13), hu=15, mr=350),
    Ellipsoid(name="left eye", centre=(32, -76, -25), radii=(13, 13, 13), hu=15, mr=350),
    Ellipsoid(name="brow", centre=(0, -82, -10), radii=(48, 16, 9), hu=60, mr=450),
    Ellipsoid(name="nose", centre=(0, -103, -45), radii=(13, 20, 18), hu=20, mr=500),
    Ellipsoid(name="lips", centre=(0, -97, -80), radii=(21, 12, 9), hu=40, mr=550),
    Ellipsoid(name="right ear", centre=(-79, 6, -28), radii=(6, 18, 30), hu=0, mr=450),
    Ellipsoid(name="left ear", centre=(79, 6, -28), radii=(6, 18, 30), hu=0, mr=450),
)
_INSIDE = (
    Ellipsoid(name="skull", centre=(0, 1, 2), radii=(72, 91, 86), hu=900, mr=40),
    Ellipsoid(name="brain", centre=(0, 2, 5), radii=(66, 84, 78), hu=35, mr=400),
)


def head(rng: np.random.Generator | None = None) -> Body:
    """Return a head as a body whose label table names the parts of the face, the skull and the brain.

    Args:
        rng: Draws somebody else: a size within 8 %, each part of the face up to 6 mm elsewhere and 20 % larger or
            smaller. None gives the head in the middle.
    """
    if rng is None:
        return Body(trunk=_SCALP, organs=(*_FACE, *_INSIDE))
    size = rng.uniform(0.92, 1.08)
    parts = (*(_other(part, rng) for part in _FACE), *_INSIDE)
    return Body(trunk=_sized(_SCALP, size), organs=tuple(_sized(part, size) for part in parts))


def _other(part: Ellipsoid, rng: np.random.Generator) -> Ellipsoid:
    x, y, z = (place + rng.uniform(-6, 6) for place in part.centre)
    a, b, c = (radius * rng.uniform(0.8, 1.2) for radius in part.radii)
    return replace(part, centre=(x, y, z), radii=(a, b, c))


def _sized(part: Ellipsoid, size: float) -> Ellipsoid:
    x, y, z = (place * size for place in part.centre)
    a, b, c = (radius * size for radius in part.radii)
    return replace(part, centre=(x, y, z), radii=(a, b, c))
