"""Real MR: crops of the hippocampus, 25 of whose 200 have values a thousand times larger."""

from pathlib import Path

import numpy as np
import pytest

from isocenter.image import Mask, Volume, read_nifti, read_nifti_mask
from isocenter.image.mask import LabelTable
from isocenter.processing.restoration import Chain
from isocenter.processing.restoration.body import body_mask
from isocenter.processing.restoration.noise import estimate_noise


@pytest.fixture(scope="module")
def crops(shared_data: Path) -> list[tuple[Volume, Mask]]:
    folder = shared_data / "msd_hippocampus"
    names = sorted(path.name for path in (folder / "imagesTr").glob("hippocampus_*.nii.gz"))[20:32]
    if not names:
        pytest.skip("the hippocampus set is not in ../shared/data")
    table = LabelTable.of("anterior", "posterior")
    return [
        (
            read_nifti(folder / "imagesTr" / name, modality="MR"),
            read_nifti_mask(folder / "labelsTr" / name, table=table),
        )
        for name in names
    ]


def of_structure(pairs: list[tuple[Volume, Mask]]) -> np.ndarray:
    return np.array([volume.voxels[mask.labels > 0].mean() for volume, mask in pairs])


def test_a_scale_shift_of_a_thousand_goes(crops: list[tuple[Volume, Mask]]) -> None:
    before = of_structure(crops)
    assert before.max() > 100 * np.median(before)
    chain = Chain.from_document([{"step": "curvature"}, {"step": "nyul"}]).fit([volume for volume, _ in crops[::2]])
    after = of_structure([(chain.restore(volume).volume, mask) for volume, mask in crops])
    assert after.std() / after.mean() < 0.2


def test_a_crop_is_all_body_and_its_noise_scales(crops: list[tuple[Volume, Mask]]) -> None:
    shares = np.array([body_mask(volume).mean() for volume, _ in crops])
    assert (shares == 1).mean() > 0.8
    for volume, _ in crops[:10]:
        spread = float(volume.voxels.std())
        assert 0.005 * spread < estimate_noise(volume).sigma < 0.5 * spread
