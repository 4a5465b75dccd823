"""Data you can trust, measure 6: copies planted among many pictures, found again.

usage: python benchmarks/duplicates.py [--pictures 100000] [--seed 0]

Each picture is made of two real ones of one public set (radiographs, ultrasound, microscopy, small CT and MR), both
turned a little and cut, blended; no two are made alike. A tenth of them have a copy beside them: saved again (another
size, JPEG quality 30 to 80), cut (5 to 20 % of each side), mirrored or turned (the seven symmetries, JPEG 85), lighter
or darker (gamma, contrast and brightness). The search is that of `isocenter check`, at its usual limit. A pair of
pictures that share no real one counts as false; of two that share one, one may well show little but it, and they are
counted by themselves.

Then BUSI's own near duplicates, whose groups are known (column near_dup_group): the even groups are those on which the
limit was chosen, the odd ones judge it.
"""

import argparse
import csv
import io
import json
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.stats import binomtest

from isocenter.intake.quality.copies.near import pairs_of
from isocenter.intake.quality.copies.repeats import LIKENESS
from isocenter.intake.quality.copies.sketch import Sketch, sketch_of

_ROOT = Path(__file__).resolve().parents[1]
_SHARED = _ROOT.parent / "shared" / "data"
_SETS = ("cxr_nih/images/*.jpg", "cxr_kermany/images/*/*.jpeg", "mednist_64/*/*.jpeg", "busi/*/*.png",
         "dsb2018_nuclei/images/*.png", "bccd/JPEGImages/*.jpg", "cxr_hannover/images/*.jpg")  # fmt: skip
_EDGE = 160
_COPIED = 0.1  # of the pictures

Picture = npt.NDArray[np.uint8]
Rng = np.random.Generator


@dataclass(frozen=True)
class Planted:
    """Pictures in figures, the real ones that each is made of, and which is a copy of which: (copy, original, kind)."""

    sketches: npt.NDArray[np.uint8]
    made_of: list[frozenset[int]]
    copies: list[tuple[int, int, str]]
    made_s: float
    sketched_s: float


def main() -> None:
    """Plant, search and count."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--pictures", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "out" / "duplicates")
    told = asked.parse_args()
    if not _SHARED.is_dir():
        raise SystemExit("The public sets do not lie beside the project; nothing was measured.")
    planted = plant(np.random.default_rng(told.seed), told.pictures)
    print(f"{told.pictures} pictures made in {planted.made_s:.0f} s, sketched in {planted.sketched_s:.0f} s")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    found = pairs_of(planted.sketches, limit=LIKENESS, progress=_told(began))
    minutes = (time.monotonic() - began) / 60
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    pairs = {frozenset((pair.first, pair.second)) for pair in found}
    print(f"searched in {minutes:.1f} minutes, {grown:.0f} MB above what the sketches take")
    rows = recall(planted.copies, pairs)
    others = pairs - related(planted.copies)
    sharing = sum(len(frozenset.intersection(*(planted.made_of[place] for place in pair))) > 0 for pair in others)
    false = len(others) - sharing
    print(f"pairs that share a real picture: {sharing}; false pairs: {false}")
    of_busi = busi()
    told.out.mkdir(parents=True, exist_ok=True)
    document = {
        "pictures": told.pictures,
        "minutes": minutes,
        "recall": rows,
        "sharing": sharing,
        "false": false,
        "busi": of_busi,
    }
    (told.out / f"{told.pictures}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")


def plant(rng: Rng, count: int) -> Planted:
    """Return pictures, a tenth of them copies of others, in an order drawn by chance."""
    real = [[_grey(path) for path in sorted(_SHARED.glob(pattern))] for pattern in _SETS]
    order, copies = rng.permutation(count), list[tuple[int, int, str]]()
    sketches = np.zeros((count, 64, 64), np.uint8)
    made_of = [frozenset[int]()] * count
    firsts = np.cumsum([0, *(len(one) for one in real)])
    made_s = sketched_s = 0.0
    made = 0
    while made < count:
        began = time.monotonic()
        kinds = list(COPIES)
        kind = kinds[len(copies) % len(kinds)] if made + 1 < count and rng.random() < _COPIED / (1 - _COPIED) else ""
        kin = int(rng.integers(len(real)))
        both = rng.choice(len(real[kin]), 2, replace=False)
        one, other = (_turned_a_little(real[kin][place], rng) for place in both)
        original = np.asarray(Image.blend(one, other, float(rng.uniform(0.3, 0.7))))
        pictures = [original, COPIES[kind](original, rng)] if kind else [original]
        made_s += time.monotonic() - began
        began = time.monotonic()
        for place, picture in enumerate(pictures):
            sketches[order[made + place]] = _sketch(picture)
            made_of[order[made + place]] = frozenset(int(firsts[kin] + number) for number in both)
        sketched_s += time.monotonic() - began
        if kind:
            copies.append((int(order[made + 1]), int(order[made]), kind))
        made += len(pictures)
    return Planted(sketches, made_of, copies, made_s, sketched_s)


def recall(copies: list[tuple[int, int, str]], pairs: set[frozenset[int]]) -> dict[str, list[float]]:
    """Print and return how many copies of each kind were found: found, planted, share, exact 95 % interval."""
    rows = {}
    for kind in (*COPIES, "all"):
        mine = [frozenset((copy, original)) in pairs for copy, original, one in copies if kind in (one, "all")]
        rows[kind] = _share(sum(mine), len(mine))
        print(f"{kind:24} {_words(rows[kind])}")
    return rows


def related(copies: list[tuple[int, int, str]]) -> set[frozenset[int]]:
    """Return the pairs that are copies."""
    return {frozenset((copy, original)) for copy, original, _ in copies}


def busi() -> dict[str, list[float]]:
    """Print and return how many near duplicates of BUSI were found, by parity of the group, and how many others."""
    with (_SHARED / "busi" / "labels.csv").open(encoding="utf-8") as sheet:
        rows = list(csv.DictReader(sheet))
    groups = [int(row["near_dup_group"]) for row in rows]
    sketches = np.stack([_sketch(_grey(_SHARED / "busi" / row["file"])) for row in rows])
    found = {frozenset((pair.first, pair.second)) for pair in pairs_of(sketches, limit=LIKENESS)}
    told = {}
    for name, parity in (("even groups", 0), ("odd groups", 1)):
        true = [
            frozenset((i, j)) in found
            for i in range(len(rows)) for j in range(i) if groups[i] == groups[j] and groups[i] % 2 == parity
        ]  # fmt: skip
        told[name] = _share(sum(true), len(true))
        print(f"BUSI, {name:18} {_words(told[name])}")
    others = [pair for pair in found if len({groups[place] for place in pair}) == 2]
    told["in no group"] = [float(len(others))]
    print(f"BUSI, pairs that are in no group together: {len(others)}")
    for pair in others:
        print("   ", " ".join(rows[place]["file"] for place in sorted(pair)))
    return told


def _saved_again(picture: Picture, rng: Rng) -> Picture:
    width, height = (int(side * rng.uniform(0.7, 1.3)) for side in picture.shape[::-1])
    shown = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
    return _jpeg(np.asarray(shown), int(rng.integers(30, 81)))


def _cut(picture: Picture, rng: Rng) -> Picture:
    height, width = (int(side * (1 - rng.uniform(0.05, 0.2))) for side in picture.shape)
    row, column = rng.integers(0, picture.shape[0] - height + 1), rng.integers(0, picture.shape[1] - width + 1)
    return _jpeg(np.ascontiguousarray(picture[row : row + height, column : column + width]), 85)


def _turned(picture: Picture, rng: Rng) -> Picture:
    symmetry = int(rng.integers(1, 8))
    made = np.rot90(picture, symmetry % 4)
    return _jpeg(np.ascontiguousarray(made[:, ::-1] if symmetry >= 4 else made), 85)


def _lighter(picture: Picture, rng: Rng) -> Picture:
    made = 255 * (picture / 255) ** rng.uniform(0.7, 1.4) * rng.uniform(0.7, 1.15) + rng.uniform(-20, 20)
    return made.clip(0, 255).astype(np.uint8)


COPIES: dict[str, Callable[[Picture, Rng], Picture]] = {
    "saved again": _saved_again, "cut": _cut, "mirrored or turned": _turned, "lighter or darker": _lighter,
}  # fmt: skip


def _turned_a_little(picture: Image.Image, rng: Rng) -> Image.Image:
    width, height = picture.size
    kept = rng.uniform(0.75, 1.0)
    left, top = rng.uniform(0, (1 - kept) * width), rng.uniform(0, (1 - kept) * height)
    turned = picture.rotate(float(rng.uniform(-15, 15)), Image.Resampling.BILINEAR)
    return turned.resize(
        (_EDGE, _EDGE), Image.Resampling.BILINEAR, box=(left, top, left + kept * width, top + kept * height)
    )


def _grey(path: Path) -> Image.Image:
    with Image.open(path) as shown:
        return shown.convert("L")


def _jpeg(picture: Picture, quality: int) -> Picture:
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "JPEG", quality=quality)
    return np.asarray(Image.open(written))


def _sketch(picture: npt.ArrayLike) -> Sketch:
    grey = np.asarray(picture)[None]
    low, high = (float(np.percentile(grey, share)) for share in (1, 99))
    return sketch_of(grey, low, high)


def _share(found: int, planted: int) -> list[float]:
    interval = binomtest(found, planted).proportion_ci(method="exact")
    return [found, planted, found / planted, interval.low, interval.high]


def _words(row: list[float]) -> str:
    return f"{row[0]:.0f} of {row[1]:.0f}: {row[2]:.3f} [{row[3]:.3f}, {row[4]:.3f}]"


def _told(began: float) -> Callable[[int, int], None]:
    def tell(done: int, of: int) -> None:
        if done % 10 == 0:
            print(f"  {done} of {of} ways, {time.monotonic() - began:.0f} s", flush=True)

    return tell


if __name__ == "__main__":
    main()
