"""Pictures turned into NIfTI: what nobody has stated is not made up."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from isocenter.cli.commands import app
from isocenter.errors import InputError
from isocenter.pipeline.scanning import convert


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(np.arange(42, dtype=np.uint8).reshape(6, 7)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_picture_of_unknown_size_is_not_said_to_have_millimetres(picture: Path) -> None:
    told = CliRunner().invoke(app, ["convert", str(picture), str(picture.with_suffix(".nii.gz"))])
    assert told.exit_code == 0
    assert "1×6×7 pixels, whose size nobody has stated. The file says 1 mm" in told.stdout
    done = convert(picture, picture.with_suffix(".nii")).to_json()
    assert (done["shape"], done["spacing_mm"]) == ([1, 6, 7], [None, None, None])


def test_a_picture_of_unknown_size_becomes_no_series(picture: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="how large a pixel"):
        convert(picture, tmp_path / "series", modality="MR")
    assert not (tmp_path / "series").exists()
