"""Files in, a folder out: the moved volume and its transform, or the report of a refusal alone."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from isocenter import pipeline
from isocenter.cli.commands import app
from isocenter.dicom.export import write_series
from isocenter.errors import FileError
from isocenter.image import read_nifti, write_nifti
from tests.processing.registration.bodies import scanned, turned

MATRIX = turned(12, (10, -8, 12))


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    write_nifti(scanned(), tmp_path / "fixed.nii.gz")
    write_series(scanned(MATRIX, seed=1), tmp_path / "moving")
    rng = np.random.default_rng(0)
    noise = scanned()
    write_nifti(type(noise)(voxels=rng.permutation(noise.voxels.ravel()).reshape(noise.shape), affine=noise.affine),
                tmp_path / "noise.nii.gz")  # fmt: skip
    return tmp_path


def test_a_series_is_laid_on_a_file_with_a_receipt_that_holds(desk: Path) -> None:
    words = ["register", "fixed.nii.gz", "moving", "--out", "laid", "--store", "store", "--json"]
    words[1:3] = [str(desk / word) for word in words[1:3]]
    words[4], words[6] = str(desk / "laid"), str(desk / "store")
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    said = json.loads(told.stdout)
    assert said["held"]
    assert said["files"] == ["moved.nii.gz", "registration.json", "transform.json", "transform.tfm"]
    laid, fixed = read_nifti(desk / "laid" / "moved.nii.gz"), read_nifti(desk / "fixed.nii.gz")
    assert laid.affine.is_close(fixed.affine, shape=fixed.shape)
    assert np.corrcoef(laid.voxels.ravel(), fixed.voxels.ravel())[0, 1] > 0.9  # of two scans with noise
    theirs = sitk.ReadTransform(str(desk / "laid" / "transform.tfm"))
    assert np.allclose(theirs.TransformPoint((0.0, 0.0, 0.0)), MATRIX[:3, 3], atol=1.5)
    assert len(pipeline.verify(desk / "laid", store=desk / "store").to_json()["links"]) == 1
    with pytest.raises(FileError, match="exists"):
        pipeline.register(desk / "fixed.nii.gz", desk / "moving", out=desk / "laid", store=desk / "store")


def test_a_refused_registration_leaves_its_report_alone(desk: Path) -> None:
    told = CliRunner().invoke(
        app, ["register", str(desk / "fixed.nii.gz"), str(desk / "noise.nii.gz"), "--out", str(desk / "no"),
              "--store", str(desk / "store")]
    )  # fmt: skip
    assert told.exit_code == 5
    assert "Refused by" in told.stdout
    assert sorted(path.name for path in (desk / "no").iterdir()) == ["receipts", "registration.json"]
    report = json.loads((desk / "no" / "registration.json").read_text())
    assert not report["held"]
    assert set(report["failed"]) == {one["name"] for one in report["figures"] if not one["held"]}
