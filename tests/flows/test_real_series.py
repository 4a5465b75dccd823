"""A real series, from DICOM to a SEG and a report, by a model that learnt from the sample in the repository."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from isocenter.dicom import load, scan
from isocenter.dicom.seg import read_seg
from isocenter.image import LabelTable, read_nifti_mask
from tests.flows.world import isocenter

pytestmark = pytest.mark.xdist_group("sample")

HOUSE = Path(__file__).resolve().parents[2]
SAMPLE = HOUSE / "examples" / "hippocampus"
TABLE = LabelTable.of("anterior", "posterior")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with the sample and a model that has looked at it for 60 steps."""
    store = tmp_path_factory.mktemp("sample") / "store"
    isocenter("ingest", SAMPLE, "--as", "msd", "--dataset", "sample", "--store", store)
    words = ("train", SAMPLE / "recipe.toml", "--data", "sample", "--set", "training.steps=60")
    isocenter(*words, "--set", "models.width=8", "--store", store)
    return store


def test_the_sample_is_small_and_says_whose_it_is() -> None:
    size = sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file())
    assert size <= 4_000_000
    assert len(list((SAMPLE / "imagesTr").iterdir())) <= 40
    assert "Attribution-ShareAlike 4.0" in (SAMPLE / "NOTICE.md").read_text(encoding="utf-8")


def test_a_real_series_becomes_a_seg_and_a_report(
    shared_data: Path, store: Path, tmp_path: Path, dciodvfy: str
) -> None:
    folder, out = shared_data / "btp_dicom_4modality" / "Study3" / "11_HCropVolume", tmp_path / "result"
    isocenter("predict", "latest", folder, "--out", out, "--store", store)
    isocenter("report", out, "--lang", "zh,en", "--store", store)
    isocenter("verify", out, "--store", store)
    told = subprocess.run([dciodvfy, out / "mask.seg.dcm"], capture_output=True, text=True, check=False).stderr
    assert not [line for line in told.splitlines() if line.startswith("Error")], told
    volume = load(scan(folder).series[0])
    mask = read_nifti_mask(out / "mask.nii.gz", table=TABLE)
    mask.require_grid_of(volume)
    again = read_seg(out / "mask.seg.dcm", volume=volume)
    assert np.array_equal(again.labels, mask.labels)
    assert {path.name for path in out.iterdir()} >= {"prediction.json", "report.en.html", "report.zh.html"}


def test_the_samples_own_study_is_read_on_its_own_grid(store: Path, tmp_path: Path) -> None:
    found = isocenter(
        "predict", "latest", SAMPLE / "study", "--out", tmp_path / "r", "--store", store, "--json"
    ).document
    volume = load(scan(SAMPLE / "study").series[0])
    assert found["input"]["shape"] == list(volume.shape)
    assert read_nifti_mask(tmp_path / "r" / "mask.nii.gz", table=TABLE).shape == volume.shape
