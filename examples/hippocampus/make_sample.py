"""Make this folder's sample again: 40 cases of a set in MSD layout, and one more as a DICOM study.

usage: python examples/hippocampus/make_sample.py FOLDER_OF_MSD_TASK04
"""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

from isocenter.image import read_nifti
from isocenter.testing.phantom import Header, write_series

HERE = Path(__file__).parent

# Every fourth case of those that benchmarks/hippocampus.py learns from: none of its test cases is among them.
# 193, 199, 216 and 327 have intensities about a thousand times those of the others, as in the whole set.
_NUMBERS = (
    "001 017 036 040 045 051 067 087 091 099 107 124 130 144 152 161 172 178 193 199 "
    "216 223 228 233 243 250 260 274 290 297 302 308 319 327 332 337 349 370 381 387"
)
CASES = _NUMBERS.split()

# Not among the 40, and of whole numbers, so that DICOM keeps its values as they are.
STUDY = "162"

DATASET = {
    "name": "Hippocampus sample",
    "description": "Left and right hippocampus, anterior and posterior: 40 cases of MSD Task04",
    "reference": "Vanderbilt University Medical Center; Antonelli et al. 2022, Nat Commun 13:4128",
    "licence": "CC-BY-SA-4.0",
    "tensorImageSize": "3D",
    "modality": {"0": "MRI"},
    "labels": {"0": "background", "1": "anterior", "2": "posterior"},
    "numTraining": len(CASES),
    "numTest": 0,
}


def main() -> None:
    """Copy the cases, write their list, and turn one more case into a series."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("source", type=Path, help="folder with imagesTr and labelsTr")
    source = asked.parse_args().source
    for part in ("imagesTr", "labelsTr"):
        (HERE / part).mkdir(exist_ok=True)
        for number in CASES:
            shutil.copyfile(source / part / file_name(number), HERE / part / file_name(number))
    training = [{"image": f"./imagesTr/{file_name(n)}", "label": f"./labelsTr/{file_name(n)}"} for n in CASES]
    listed = json.dumps(DATASET | {"training": training}, indent=1)
    (HERE / "dataset.json").write_text(f"{listed}\n", encoding="utf-8")
    write_study(source / "imagesTr" / file_name(STUDY))


def file_name(number: str) -> str:
    """Return what a case's image and label are called."""
    return f"hippocampus_{number}.nii.gz"


def write_study(path: Path) -> None:
    """Write a case as an MR series of axial slices, rows from front to back, columns from right to left."""
    volume = replace(read_nifti(path), modality="MR").oriented("SPL")
    header = Header(
        name="Sample^Hippocampus", patient=f"HIPPOCAMPUS-{STUDY}", sex="", age="", study="hippocampus sample",
        description="T1 hippocampus", manufacturer="unknown", model="unknown",
    )  # fmt: skip
    write_series(volume, HERE / "study", header=header)


if __name__ == "__main__":
    main()
