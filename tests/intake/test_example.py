"""The sample that ships with the code: small, sound, licensed, and apart from what the benchmark tests on."""

from pathlib import Path

import numpy as np
from benchmarks.hippocampus import TEST

from isocenter.dicom import load, scan
from isocenter.image import read_nifti
from isocenter.intake.layouts.folders import read_folder
from isocenter.intake.layouts.found import Read
from isocenter.intake.quality import check_case
from isocenter.recipe import read_recipe

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hippocampus"


def test_the_sample_is_forty_sound_cases_and_none_that_the_benchmark_tests_on() -> None:
    found = read_folder(SAMPLE, pseudonym=str)
    reads = list(found.read())
    assert found.layout == "msd"
    assert not found.issues
    assert len(reads) == 40
    for read in reads:
        assert isinstance(read, Read)
        assert read.case.id not in TEST
        assert check_case(read.case, table=found.table) == ()
    highest = [float(read.case.volumes["image"].voxels.max()) for read in reads if isinstance(read, Read)]
    assert sum(value > 100_000 for value in highest) == 4


def test_the_study_is_a_regular_series_that_is_not_among_the_cases(shared_data: Path) -> None:
    [series] = scan(SAMPLE / "study").series
    assert (series.verdict, series.modality) == ("regular", "MR")
    volume = load(series)
    published = read_nifti(shared_data / "msd_hippocampus" / "imagesTr" / "hippocampus_162.nii.gz").oriented("SPL")
    np.testing.assert_array_equal(volume.voxels, published.voxels)
    assert volume.affine.is_close(published.affine, shape=volume.shape, tolerance_mm=1e-3)  # decimal strings in DICOM
    assert not (SAMPLE / "imagesTr" / "hippocampus_162.nii.gz").exists()


def test_the_sample_stays_small_and_names_its_licence() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 4 * 2**20
    notice = (SAMPLE / "NOTICE.md").read_text(encoding="utf-8")
    for words in ("CC BY-SA 4.0", "Vanderbilt University Medical Center", "Antonelli", "Changes made"):
        assert words in notice


def test_the_recipe_of_the_sample_can_be_read() -> None:
    assert read_recipe(SAMPLE / "recipe.toml").training.minutes == 2.5
