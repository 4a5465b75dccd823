"""What a second brings from a PACS: an Orthanc on this machine, its CT slices fetched by C-GET, C-MOVE and DICOMweb.

Starts an Orthanc (Debian's orthanc and orthanc-dicomweb) on free ports with a storage that is thrown away, and fetches
into a new folder each time, the ways by turns; then once more into the same folder, to see what it costs when nothing
is new. From the project's folder:

    python -m benchmarks.fetching [--slices 600] [--side 512] [--rounds 3]
"""

import argparse
import platform
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from isocenter import pipeline
from isocenter.image import Volume
from isocenter.testing.phantom import Header, axis_grid, write_series
from tests.clinic.hospital.orthanc import Orthanc, executable, running

WAYS = ("get", "move", "web")
SERIES = 4


def fill(pacs: Orthanc, folder: Path, *, slices: int, side: int) -> None:
    """Put some CT series into a PACS."""
    shape = (slices // SERIES, side, side)
    rng = np.random.default_rng(0)
    for number in range(1, SERIES + 1):
        voxels = rng.integers(-1000, 2000, shape, dtype=np.int16)
        volume = Volume(
            voxels=voxels, affine=axis_grid("SPL", shape=shape, spacing_mm=(1.0, 0.7, 0.7)), modality="CT", unit="HU"
        )
        pacs.store(*write_series(volume, folder / str(number), header=Header(number=number)))


def fetch(pacs: Orthanc, out: Path, way: str) -> tuple[float, int, int]:
    """Return seconds, instances that came, and bytes."""
    begun = time.monotonic()
    done = pipeline.fetch(
        pacs.web if way == "web" else pacs.address, out, study=str(Header().uid("study")), how=way,
        listen=f"127.0.0.1:{pacs.ours}" if way == "move" else "", store=out.parent / "store",
    ).to_json()  # fmt: skip
    if not done["held"]:
        raise SystemExit(f"Not everything came by {way}: {done['lacks']}")
    return time.monotonic() - begun, done["new"], done["bytes"]


def main() -> None:
    """Print one Markdown row a way."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--slices", type=int, default=600)
    words.add_argument("--side", type=int, default=512)
    words.add_argument("--rounds", type=int, default=3)
    asked = words.parse_args()
    if executable() is None:
        print("Orthanc with its DICOMweb plug-in is not installed: skipped.")
        return
    print(
        f"{platform.processor() or platform.machine()}, loopback; {asked.slices} slices of {asked.side} x {asked.side}"
    )
    print("| way | median s | instances a second | MB a second | again, nothing new: s |")
    print("|---|---|---|---|---|")
    with TemporaryDirectory() as name, running(Path(name) / "orthanc") as pacs:
        fill(pacs, Path(name) / "sent", slices=asked.slices, side=asked.side)
        rows: dict[str, list[tuple[float, int, int, float]]] = {way: [] for way in WAYS}
        for turn in range(asked.rounds):
            for way in WAYS:
                out = Path(name) / f"{way}{turn}"
                rows[way].append((*fetch(pacs, out, way), fetch(pacs, out, way)[0]))
        for way in WAYS:
            seconds = statistics.median(row[0] for row in rows[way])
            _, count, bytes_, _ = rows[way][0]
            again = statistics.median(row[3] for row in rows[way])
            print(f"| {way} | {seconds:.1f} | {count / seconds:.0f} | {bytes_ / seconds / 1e6:.0f} | {again:.1f} |")


if __name__ == "__main__":
    main()
