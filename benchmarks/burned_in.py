"""De-identification, measure 2: names, numbers and dates written into the pixels of real images.

usage: python benchmarks/burned_in.py [--images 350] [--seed 0] [--second] [--pictures FOLDER]

Real images (radiographs, ultrasound; the public sets beside the project) get one, three or five strings: invented names
in Latin and Chinese, numbers, dates; 8 to 48 pixels high, from white on black to 40 grey levels above what lies
behind, upright or turned by 90°, anywhere, anatomy too. A string counts as found when at least 95 % of its letters'
pixels are blanked. What is blanked beyond the strings' boxes, grown by a fifth of their height, is held against the
image's area, in every fourth image; what is blanked in the image as it was (marks of side, labels of its device) is not
counted. Images come in the sizes that devices make: small ones are enlarged, up to 1024 pixels. The DICOM files with
burned-in names whose boxes are known (data/deid) are read too.

With --second it is the look of --prove that is measured, by itself: one string a picture, of which the header knows,
not blanked, everything else blanked by the first look. It counts as found where the look says so; what it says of the
picture without the string is its false alarms.
"""

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy.stats import binomtest

from isocenter.dicom.elements.file import read_file
from isocenter.intake.deid.identity import Identity
from isocenter.intake.deid.pixels.cleaner import has_pixels
from isocenter.intake.deid.pixels.look import look
from isocenter.intake.deid.pixels.stored import shown
from isocenter.intake.deid.proof.pixels import Eye, look_again, printed, relief
from isocenter.plugins import find
from isocenter.processing.text import READERS

_ROOT = Path(__file__).resolve().parents[1]
_SHARED = _ROOT.parent / "shared" / "data"
_OWN_FONT = _ROOT / "src" / "isocenter" / "pages" / "fonts" / "NotoSansSC-Regular.otf"
_LATIN_FONTS = ("DejaVuSans.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf", "DejaVuSansCondensed.ttf")
_SIZES = (8, 10, 12, 14, 18, 24, 32, 48)
_CONTRASTS = (40, 70, 120, 255)
_FAMILIES_ZH, _GIVEN_ZH = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华"
_FAMILIES = ("Canary", "Finch", "Heron", "Swift", "Wren", "Martin", "Crane", "Starling", "Partridge", "Nightingale")
_GIVEN = ("Yellow", "Robin", "Jay", "Phoebe", "Merle", "Linnet", "Peregrine", "Avis", "Oriole", "Teal")
_TOGETHER = (1, 3, 5)  # strings in one picture: a reader may overlook what stands alone
_FOUND = 0.95


@dataclass(frozen=True)
class Written:
    """One string in a picture: its letters' pixels, its box, and how it was written."""

    text: str
    kind: str
    letters: npt.NDArray[np.bool_]
    box: tuple[int, int, int, int]
    size: int
    contrast: int
    is_turned: bool


def main() -> None:
    """Write, blank and count."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--images", type=int, default=350)
    asked.add_argument("--second", action="store_true", help="measure the look of --prove")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--pictures", type=Path, help="a folder for pictures of what was missed")
    asked.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "out" / "burned-in")
    told = asked.parse_args()
    if not _SHARED.is_dir():
        raise SystemExit("The public sets do not lie beside the project; nothing was measured.")
    told.out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(told.seed)  # noqa: S311 (no secret)
    if told.second:
        second(rng, told.images, told.out)
        return
    reader = reader_of("rapidocr")
    rows, beyond, seconds = [], [], []
    for number, image in enumerate(images(rng, told.images)):
        picture, strings = written(image, rng, count=rng.choice(_TOGETHER))
        began = time.monotonic()
        blank = covered(look(picture, reader=reader).boxes(), picture.shape)
        seconds.append(time.monotonic() - began)
        if number % 4 == 0:
            own = covered(look(image, reader=reader).boxes(), picture.shape)
            beyond.append(outside(blank & ~own, strings))
        for one in strings:
            share = float(blank[one.letters].mean())
            rows.append({"kind": one.kind, "size": one.size, "contrast": one.contrast, "turned": one.is_turned,
                         "share": share, "text": one.text, "together": len(strings)})  # fmt: skip
            if share < _FOUND and told.pictures:
                told.pictures.mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture).save(told.pictures / f"{number:04d}-{one.size}-{one.contrast}.png")
        print(f"{number + 1} images, {sum(row['share'] >= _FOUND for row in rows)} of {len(rows)} found", end="\r")
    (told.out / "first.json").write_text(json.dumps({"rows": rows, "beyond": beyond, "seconds": seconds}))
    print("\n" + table(rows, beyond, seconds))
    print(known(reader))


def second(rng: random.Random, count: int, out: Path) -> None:
    """Measure the look of --prove on pictures with one string each, and on real ones as they would leave."""
    first = reader_of("rapidocr")
    eyes = (Eye(reader_of("tesseract"), printed), Eye(first, relief))
    rows, alarms, seconds = [], 0, []
    for number, image in enumerate(images(rng, count)):
        clean = image.copy()
        clean[covered(look(image, reader=first).boxes(), image.shape)] = image.min()
        picture, strings = written(clean, rng, count=1)
        for one in strings:
            identity = Identity(patient="", person="", strings={one.text: "name"}, searched=frozenset({one.text}))
            began = time.monotonic()
            by_eye = [seen_by((eye,), picture, identity) for eye in eyes]
            seconds.append(time.monotonic() - began)
            blank = covered(look(picture, reader=first).boxes(), picture.shape)
            rows.append({"kind": one.kind, "size": one.size, "contrast": one.contrast, "turned": one.is_turned,
                         "share": float(any(by_eye)), "tesseract": by_eye[0], "relief": by_eye[1],
                         "first": bool(blank[one.letters].mean() >= _FOUND)})  # fmt: skip
            alarms += seen_by(eyes, clean, identity)
        print(f"{number + 1} images, {sum(row['share'] for row in rows):.0f} of {len(rows)} found", end="\r")
    (out / "second.json").write_text(json.dumps({"rows": rows, "alarms": alarms, "seconds": seconds}))
    print("\n" + table(rows, [], seconds))
    for name in ("tesseract", "relief"):
        print(f"by {name} alone: {sum(row[name] for row in rows)} of {len(rows)}")
    missed = [row for row in rows if not row["first"]]
    print(f"of {len(missed)} that the first look missed: {sum(row['share'] for row in missed):.0f}")
    print(f"pictures as they would leave in which it reads something: {alarms} of {len(rows)}")


def seen_by(eyes: Sequence[Eye], picture: npt.NDArray[np.uint8], identity: Identity) -> bool:
    """Return whether the second look says something of a picture."""
    left = look_again(picture, eyes=eyes, identity=identity)
    return bool(left.names or left.others)


def known(reader: Any) -> str:
    """Return how many of the strings with known boxes in data/deid are blanked."""
    folder = _SHARED / "deid" / "presidio"
    truth = json.loads((folder / "ground_truth.json").read_text())
    found, count = 0, 0
    for name, boxes in truth.items():
        paths = sorted(folder.glob(f"{Path(name).stem}*.d*m"))
        file = next(file for path in paths if has_pixels(file := read_file(path)))
        frame = next(shown(file))
        blank = covered(look(frame, reader=reader).boxes(), frame.shape)
        for box in boxes:
            top, left = box["top"] - 25, box["left"] - 25  # the boxes count a border of 25 pixels
            inside = blank[top : top + box["height"], left : left + box["width"]]
            found, count = found + bool(inside.mean() >= _FOUND), count + 1
    return f"strings of data/deid whose boxes are known: {found} of {count} blanked"


def reader_of(name: str) -> Any:
    """Return a reader of text."""
    made: Any = find(name, table=READERS, group="isocenter.readers")
    return made()


def covered(boxes: Sequence[tuple[int, int, int, int]], shape: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return the pixels inside of boxes."""
    inside = np.zeros(shape[:2], bool)
    for top, left, bottom, right in boxes:
        inside[top:bottom, left:right] = True
    return inside


def images(rng: random.Random, count: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield real pictures, kind by kind in turn."""
    kinds = [
        sorted((_SHARED / "cxr_kermany").rglob("*.jpeg")), sorted((_SHARED / "busi").rglob("*.png")),
        sorted((_SHARED / "cxr_nih").rglob("*.png")), sorted((_SHARED / "cxr_hannover").rglob("*.png")),
    ]  # fmt: skip
    kinds = [paths for paths in kinds if paths]
    for number in range(count):
        path = rng.choice(kinds[number % len(kinds)])
        with Image.open(path) as picture:
            grey = picture.convert("L")
            grey.thumbnail((1024, 1024))
            times = min(1024 / max(grey.size), rng.choice((1, 2, 3, 4)))
            yield np.asarray(grey.resize((round(grey.width * times), round(grey.height * times))))


def written(
    image: npt.NDArray[np.uint8], rng: random.Random, *, count: int
) -> tuple[npt.NDArray[np.uint8], list[Written]]:
    """Return a picture with strings that do not touch each other."""
    picture, taken, strings = image.copy(), np.zeros(image.shape, bool), list[Written]()
    for _ in range(200):
        if len(strings) == count:
            break
        text, kind = string(rng)
        size, contrast, is_turned = rng.choice(_SIZES), rng.choice(_CONTRASTS), rng.random() < 0.2
        mask = letters(text, size, rng)
        mask = np.rot90(mask, rng.choice((1, 3))) if is_turned else mask
        rows, columns = mask.shape
        if rows >= image.shape[0] or columns >= image.shape[1]:
            continue
        top, left = rng.randrange(image.shape[0] - rows), rng.randrange(image.shape[1] - columns)
        box = (top, left, top + rows, left + columns)
        near = (slice(max(0, top - size), box[2] + size), slice(max(0, left - size), box[3] + size))
        if taken[near].any():
            continue
        taken[near] = True
        here = np.zeros(image.shape, np.float32)
        here[top : box[2], left : box[3]] = mask
        behind = float(np.percentile(image[top : box[2], left : box[3]], 90))
        level = 255.0 if contrast == 255 else min(255.0, behind + contrast)
        if level - behind < 30:  # too bright behind: written dark
            level = max(0.0, float(np.percentile(image[top : box[2], left : box[3]], 10)) - contrast)
        picture = (picture * (1 - here) + level * here).astype(np.uint8)
        strings.append(Written(text, kind, here > 0.5, box, size, contrast, is_turned))
    return picture, strings


def string(rng: random.Random) -> tuple[str, str]:
    """Return an invented string that would tell who somebody is, and its kind."""
    sign = rng.choice("-./")
    day = f"{rng.randint(1930, 2015)}{sign}{rng.randint(1, 12):02d}{sign}{rng.randint(1, 28):02d}"
    name = f"{rng.choice(_FAMILIES)}{rng.choice((' ', ', ', '^'))}{rng.choice(_GIVEN)}"
    chinese = rng.choice(_FAMILIES_ZH) + "".join(rng.sample(_GIVEN_ZH, rng.randint(1, 2)))
    number = "".join(rng.choice("0123456789") for _ in range(rng.randint(6, 10)))
    return rng.choice(
        [(name, "name"), (name.upper(), "name"), (chinese, "name, Chinese"), (f"姓名：{chinese}", "name, Chinese"),
         (number, "number"), (f"ID: {number}", "number"), (f"DOB {day}", "date"), (day, "date")]
    )  # fmt: skip


def letters(text: str, size: int, rng: random.Random) -> npt.NDArray[np.float32]:
    """Return the coverage of a string's letters, cut to them."""
    path = str(_OWN_FONT) if not text.isascii() else rng.choice((*_LATIN_FONTS, str(_OWN_FONT)))
    font = ImageFont.truetype(path, size)
    left, top, right, bottom = font.getbbox(text)
    made = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(made).text((1 - left, 1 - top), text, fill=255, font=font)
    return np.asarray(made, np.float32) / 255


def outside(blank: npt.NDArray[np.bool_], strings: Sequence[Written]) -> float:
    """Return the share of a picture that was blanked beyond its strings."""
    beyond = blank.copy()
    for one in strings:
        grown = max(2, one.size // 5)
        top, left, bottom, right = one.box
        beyond[max(0, top - grown) : bottom + grown, max(0, left - grown) : right + grown] = False
    return float(beyond.mean())


def table(rows: Sequence[dict[str, Any]], beyond: Sequence[float], seconds: Sequence[float]) -> str:
    """Return recall by every trait, with exact intervals, as Markdown."""
    lines = ["| strings | found | recall [95 %] |", "|---|---|---|"]
    groups: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        found = row["share"] >= _FOUND
        way = "turned" if row["turned"] else "upright"
        together = f"{row.get('together', 1)} in a picture"
        for name in ("all", row["kind"], f"{row['size']} px", f"contrast {row['contrast']}", way, together):
            groups[name].append(found)
    for name, found in groups.items():
        exact = binomtest(sum(found), len(found)).proportion_ci()
        share = f"{sum(found) / len(found):.3f} [{exact.low:.3f}, {exact.high:.3f}]"
        lines.append(f"| {name} | {sum(found)} of {len(found)} | {share} |")
    if beyond:
        lines.append(f"\nblanked beyond the strings: mean {100 * np.mean(beyond):.2f} % of the image")
    lines.append(f"seconds a frame: median {np.median(seconds):.2f}, most {max(seconds):.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
