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
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import torch
from pydicom.data import get_testdata_file

from isocenter import pipeline
from isocenter.dicom.elements.file import meta_of, read_file, write_file
from isocenter.dicom.elements.text import padded

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
    dataset = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    pixels = dataset.pixel_array[:_EDGE, :_EDGE]
    dataset.Rows = dataset.Columns = _EDGE
    dataset.PixelData = np.ascontiguousarray(pixels).tobytes()
    folder.mkdir(parents=True)
    dataset.save_as(folder / "one.dcm")
    one = read_file(folder / "one.dcm")
    (folder / "one.dcm").unlink()
    for number in range(count):
        patient, study = number // 100, number // 50
        said = {
            0x00080018: f"1.2.826.0.1.{study}.1.{number}", 0x0020000D: f"1.2.826.0.1.{study}",
            0x0020000E: f"1.2.826.0.1.{study}.1", 0x00100010: f"Canary{patient:04d}^Yellow",
            0x00100020: f"MRN{patient:07d}", 0x00100030: f"19{patient % 90 + 10:02d}0312",
        }  # fmt: skip
        elements = [
            replace(element, value=padded(said[element.tag].encode(), b"\0" if element.vr == "UI" else b" "))
            if element.tag in said else element
            for element in one.elements
        ]  # fmt: skip
        path = folder / f"{patient:04d}" / f"{number:06d}.dcm"
        path.parent.mkdir(exist_ok=True)
        meta = meta_of(syntax=one.syntax, sop_class="1.2.840.10008.5.1.4.1.1.2", instance=said[0x00080018])
        write_file(replace(one, elements=elements, meta=meta), path)


def resident() -> float:
    """Return this process's memory now, in MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
