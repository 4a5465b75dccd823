"""Measure 2: scanning 5,000 DICOM files against pydicom, loading a 512×512×600 CT against SimpleITK.

Writes its own files into a temporary folder, prints one Markdown row a measure. Each measure runs in a fresh process,
files in the page cache, ours and the peer's by turns.

    python benchmarks/dicom_reading.py [--files 5000] [--slices 600] [--rounds 5]
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np


def write_files(folder: Path, *, files: int, side: int) -> None:
    """Write a CT series of some slices of side × side pixels, with the ~120 elements that a scanner writes."""
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    folder.mkdir()
    rng = np.random.default_rng(7)
    plane = rng.integers(0, 4096, (side, side), dtype=np.uint16)
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.Modality, made.Manufacturer = CTImageStorage, "CT", "isocenter"
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    made.ImageType, made.PatientName, made.PatientID = ["ORIGINAL", "PRIMARY", "AXIAL"], "Speed^Test", "1"
    for group in (0x0009, 0x0019, 0x0021, 0x0043):  # scanners write about as many private elements as public ones
        block = made.private_block(group, "ISOCENTER BENCH", create=True)
        for element in range(24):
            block.add_new(element, "LO" if element % 2 else "DS", "text" if element % 2 else "1.5")
    made.ReferencedStudySequence = [Dataset()]
    made.ReferencedStudySequence[0].ReferencedSOPInstanceUID = "1.2.3.9"
    made.PixelSpacing, made.SliceThickness = [0.7, 0.7], 1
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.RescaleIntercept, made.RescaleSlope = -1024, 1
    made.Rows = made.Columns = side
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    for index in range(files):
        made.SOPInstanceUID, made.InstanceNumber = f"1.2.3.4.{index + 1}", index + 1
        made.ImagePositionPatient = [0, 0, index]
        made.PixelData = np.roll(plane, index).tobytes()
        pydicom.dcmwrite(folder / f"{index:05d}.dcm", made, enforce_file_format=True)


def scan_ours(folder: Path) -> int:
    """Scan a folder by isocenter: headers read, grouped, ordered and judged."""
    from isocenter.dicom import scan

    found = scan(folder)
    (series,) = found.series
    if series.verdict != "regular":
        raise SystemExit(series.reason)
    return len(series.instances)


def scan_pydicom(folder: Path) -> int:
    """Read each header by pydicom, and of it what a series needs."""
    import pydicom

    count = 0
    for path in sorted(folder.iterdir()):
        read = pydicom.dcmread(path, stop_before_pixels=True)
        count += len(read.ImagePositionPatient) == 3 and len(read.SeriesInstanceUID) > 0
    return count


def scan_pydicom_few(folder: Path) -> int:
    """Read four attributes of each header by pydicom, its fastest way."""
    import pydicom

    tags = ["SeriesInstanceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
    return sum(
        len(pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags).ImagePositionPatient) == 3
        for path in sorted(folder.iterdir())
    )


def load_ours(folder: Path) -> int:
    """Scan and load a series by isocenter."""
    from isocenter.dicom import load, scan

    (series,) = scan(folder)
    return int(load(series).voxels.nbytes)


def load_sitk(folder: Path) -> int:
    """Sort and load a series by SimpleITK."""
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    return int(np.prod(image.GetSize())) * 4  # int32: what it makes of 12 bits and an intercept


MEASURES: dict[str, Callable[[Path], int]] = {
    "scan_ours": scan_ours,
    "scan_pydicom": scan_pydicom,
    "scan_pydicom_few": scan_pydicom_few,
    "load_ours": load_ours,
    "load_sitk": load_sitk,
}


def measure(name: str, folder: Path) -> dict[str, float]:
    """Run one measure in this process, imports done before the clock starts; memory is what it added at its peak."""
    import pydicom  # noqa: F401
    import SimpleITK as sitk  # noqa: F401

    import isocenter.dicom  # noqa: F401

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    result = MEASURES[name](folder)
    seconds = time.perf_counter() - start
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return {"seconds": seconds, "result": result, "peak": peak}


def rounds_of(names: list[str], folder: Path, *, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Run measures by turns, each in a fresh process."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            command = [sys.executable, __file__, "--one", name, "--folder", str(folder)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[name].append(json.loads(done.stdout.splitlines()[-1]))
    return found


def row(label: str, runs: list[dict[str, float]], *, note: str) -> str:
    """Return one Markdown row: min, median and max of the seconds, and the memory added at the peak."""
    seconds = sorted(run["seconds"] for run in runs)
    peak = max(run["peak"] for run in runs) / 2**20
    median = statistics.median(seconds)
    return f"| {label} | {seconds[0]:.2f} | {median:.2f} | {seconds[-1]:.2f} | {peak:.0f} | {note} |"


def main() -> None:
    """Write the files, measure, print the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--files", type=int, default=5000)
    asked.add_argument("--slices", type=int, default=600)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--one")
    asked.add_argument("--folder", type=Path)
    options = asked.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.folder)))
        return
    with TemporaryDirectory() as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        write_files(small, files=options.files, side=16)
        scans = rounds_of(["scan_ours", "scan_pydicom", "scan_pydicom_few"], small, rounds=options.rounds)
        write_files(large, files=options.slices, side=512)
        loads = rounds_of(["load_ours", "load_sitk"], large, rounds=options.rounds)
    show(scans, loads, options.files, options.slices)


def show(
    scans: dict[str, list[dict[str, float]]], loads: dict[str, list[dict[str, float]]], files: int, slices: int
) -> None:
    """Print the table with the ratios that the claims are about."""
    median = {name: statistics.median(run["seconds"] for run in runs) for name, runs in {**scans, **loads}.items()}
    array = loads["load_ours"][0]["result"]
    peak = max(run["peak"] for run in loads["load_ours"]) / array
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores, ", end=""
    )
    print(f"Python {platform.python_version()}, one process each, files in the page cache\n")
    print("| what | min s | median s | max s | peak MiB added | |")
    print("|---|---|---|---|---|---|")
    print(row(f"scan {files} files, isocenter (grouped, judged)", scans["scan_ours"], note=""))
    for name, label in (("scan_pydicom", "pydicom, headers"), ("scan_pydicom_few", "pydicom, four attributes")):
        print(row(f"scan {files} files, {label}", scans[name], note=f"{median[name] / median['scan_ours']:.1f} × ours"))
    print(row(f"load 512×512×{slices}, isocenter (scan and load)", loads["load_ours"], note=f"peak {peak:.2f} × array"))
    note = f"{median['load_sitk'] / median['load_ours']:.1f} × ours"
    print(row(f"load 512×512×{slices}, SimpleITK (sort and load)", loads["load_sitk"], note=note))


if __name__ == "__main__":
    main()
