"""What every test may ask for."""

import shutil
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data sets; skip where this machine has none."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the real data sets (../shared/data) are not on this machine")
    return folder


@pytest.fixture(scope="session")
def dciodvfy() -> str:
    """Return the path of the validator of DICOM objects; skip where it is not installed."""
    found = shutil.which("dciodvfy")
    if found is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")
    return found
