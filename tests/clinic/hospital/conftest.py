"""A real PACS with a few studies in it, and what tests ask of it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from isocenter.testing.phantom import Body, Header, axis_grid, write_enhanced, write_series
from tests.clinic.hospital.orthanc import Orthanc, executable, running

CANARY = Header(name="Canary^Yellow=金丝雀", patient="CANARY-4711", born="19610704", study="canary study")
OTHER = Header(name="Wren^Brown", patient="WREN-1", study="wren study", day="20260301")
SHAPE = (14, 64, 64)
# compressed, multi-frame, big endian, deflated, and no pictures at all
PUBLIC = (
    "JPEG2000.dcm", "MR_small_RLE.dcm", "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_rle_2frame.dcm", "ExplVR_BigEnd.dcm",
    "image_dfl.dcm", "rtplan.dcm", "test-SR.dcm",
)  # fmt: skip


@pytest.fixture(scope="session")
def orthanc_program() -> str:
    """Return the path of Orthanc; skip where it is not installed."""
    found = executable()
    if found is None:
        pytest.skip("Orthanc with its DICOMweb plug-in (Debian's orthanc, orthanc-dicomweb) is not installed")
    return found


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files that are put into the PACS."""
    folder = tmp_path_factory.mktemp("stored")
    rng = np.random.default_rng(0)
    grid = axis_grid("SPL", shape=SHAPE, spacing_mm=(5.0, 1.1, 1.1))
    ct, _ = Body().sample(grid, SHAPE, rng=rng)
    mr, _ = Body().sample(grid, SHAPE, modality="MR", rng=rng)
    write_series(ct, folder / "ct", header=CANARY)
    write_series(mr, folder / "mr", header=Header(**{**_fields(CANARY), "number": 2}))
    write_enhanced(ct, folder / "enhanced.dcm", header=OTHER)
    return folder


def _fields(header: Header) -> dict[str, object]:
    return {name: getattr(header, name) for name in Header.__slots__}


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return public test files of many kinds, each with an accession number, as they are put into the PACS."""
    folder = tmp_path_factory.mktemp("public")
    for number, name in enumerate(PUBLIC):
        made = pydicom.dcmread(str(get_testdata_file(name)))
        made.AccessionNumber, made.StudyDate = f"ACC{number}", "20040119"
        made.PatientID = made.get("PatientID") or "NOBODY"
        made.save_as(folder / name)
    return folder


@pytest.fixture(scope="session")
def pacs(
    orthanc_program: str, stored: Path, public: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orthanc]:
    """Give a PACS that holds the canary's study of two series, a colleague's, and the public files."""
    assert orthanc_program
    with running(tmp_path_factory.mktemp("orthanc")) as archive:
        archive.store(*sorted(stored.rglob("*.dcm")), *sorted(public.iterdir()))
        yield archive
