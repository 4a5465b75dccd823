"""Colours as DICOM keeps them: CIELab in 16 bits (PS3.3 C.10.7.1.1)."""

from collections.abc import Sequence

import numpy as np

# The standard names D50; the writers in use (dcmqi, pixelmed, highdicom) take D65, sRGB's own white.
_WHITE = np.array([0.95047, 1.0, 1.08883])
# IEC 61966-2-1: XYZ to linear sRGB
_XYZ_TO_RGB = np.array(
    [
        [3.2406, -1.5372, -0.4986],
        [-0.9689, 1.8758, 0.0415],
        [0.0557, -0.2040, 1.0570],
    ]
)


def rgb_from_lab(value: Sequence[int]) -> tuple[int, int, int]:
    """Return 8-bit sRGB of a Recommended Display CIELab Value, three integers of 0..65535."""
    lightness = value[0] * 100 / 65535
    a, b = (part * 255 / 65535 - 128 for part in value[1:])
    y = (lightness + 16) / 116
    roots = np.array([y + a / 500, y, y - b / 200])
    # CIE 15: the cube above 6/29, a straight line below
    xyz = _WHITE * np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29))
    linear = np.clip(_XYZ_TO_RGB @ xyz, 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (int(part) for part in np.rint(coded * 255))
    return red, green, blue
