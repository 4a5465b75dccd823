"""Pictures of one slice: the slice's two faces are no outline."""

import numpy as np
import pytest

from isocenter.metrics import hd95, nsd


def disc(radius: float, *, column: float = 80.0) -> np.ndarray:
    rows, columns = np.indices((160, 160))
    return ((rows - 80.0) ** 2 + (columns - column) ** 2 <= radius**2)[None]


@pytest.mark.parametrize(("found", "true_mm"), [(disc(52), 2.0), (disc(60), 10.0)])
def test_a_larger_disc_lies_as_far_off_as_its_radius_says(found: np.ndarray, true_mm: float) -> None:
    # 0.8 mm: outlines run between pixels of 1 mm, slanted ones up to half a diagonal off
    assert hd95(found, disc(50), spacing_mm=(1.0, 1.0, 1.0)) == pytest.approx(true_mm, abs=0.8)


def test_a_shifted_disc_is_not_as_good_as_one_in_place() -> None:
    assert hd95(disc(50, column=83.0), disc(50), spacing_mm=(1.0, 1.0, 1.0)) == pytest.approx(3.0, abs=0.8)
    # of an outline shifted by 3 mm the share 2/pi asin(x/3) stays within x mm; on pixels of 1 mm x lies in 1 to 1.5
    assert 0.2 < nsd(disc(50, column=83.0), disc(50), spacing_mm=(1.0, 1.0, 1.0), tolerance_mm=1.0) < 0.4
