"""De-identification, measure 4: 50,000 files: files a second, and memory that does not grow with their number.

usage: python benchmarks/deid_many.py [--files 50000] [--out FOLDER]

The files are CT slices of 64 × 64 pixels, of one patient to every 100, made here from pydicom's own CT slice and
removed afterwards. They are de-identified by the basic profile with --prove, as the command does it, and the process's
memory is read after every tenth of them. "Flat" is what a file adds: the slope of those readings.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pydicom
import torch
from pydicom.data import get_testdata_file

from isocenter import pipeline

_ROOT = Path(__file__).resolve().parents[1]
_EDGE = 64


def main() -> None:
    """Make the files, release them, and print what it took."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--files", type=int, default=50_000)
    asked.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "out" / "deid-many")
    told = asked.parse_args()
    shutil.rmtree(told.out, ignore_errors=True)
    make(told.out / "in", told.files)
    locks = {"vault": told.out / "vault", "key": told.out / "vault.key"}
    pipeline.open_vault(**locks, new=True)
    readings: list[tuple[int, float]] = []
    began = time.perf_counter()

    def watch(_stage: str, done: float, total: float, _note: str = "") -> None:
        if done % max(1, total // 10) == 0:
            readings.append((int(done), resident()))
            print(f"{done:.0f} of {total:.0f} files, {readings[-1][1]:.0f} MB", file=sys.stderr, flush=True)

    found = pipeline.deid(
        told.out / "in", told.out / "out", prove=True, store=told.out / "store", progress=watch, **locks
    ).to_json()
    seconds = time.perf_counter() - began
    files, megabytes = np.array(readings).T
    slope = float(np.polyfit(files, megabytes, 1)[0]) * 1e6 / 1e3
    facts = {
        "files": told.files, "released": found["files"]["released"], "seconds": seconds,
        "files_a_second": told.files / seconds, "mb": [round(one) for one in megabytes], "kb_a_file": slope,
        "machine": f"{torch.cpu.get_capabilities().get('cpu_name', platform.machine())}, {os.cpu_count()} cores",
    }  # fmt: skip
    for folder in ("in", "out", "store", "vault"):
        shutil.rmtree(told.out / folder, ignore_errors=True)
    (told.out / "found.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    print(json.dumps(facts, indent=1))


def make(folder: Path, count: int) -> None:
    """Write so many slices, each with a UID of its own."""
    one = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    pixels = one.pixel_array[:_EDGE, :_EDGE]
    one.Rows = one.Columns = _EDGE
    one.PixelData = np.ascontiguousarray(pixels).tobytes()
    del one[0x00080005]
    for number in range(count):
        patient, study = divmod(number, 100)[0], number // 50
        one.PatientName, one.PatientID = f"Canary{patient:04d}^Yellow", f"MRN{patient:07d}"
        one.PatientBirthDate = f"19{patient % 90 + 10:02d}0312"
        one.StudyInstanceUID, one.SeriesInstanceUID = f"1.2.826.0.1.{study}", f"1.2.826.0.1.{study}.1"
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.{study}.1.{number}"
        path = folder / f"{patient:04d}" / f"{number:06d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        one.save_as(path)


def resident() -> float:
    """Return this process's memory now, in MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
