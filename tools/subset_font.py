"""Make the fonts that PDF reports are set in: Noto Sans CJK SC, cut down to the characters that reports may need.

Run it with fontTools at hand, which isocenter itself does not need, on the collections as Debian's fonts-noto-cjk
brings them (NotoSansCJK-Regular.ttc, NotoSansCJK-Bold.ttc):

    pip install fonttools && python tools/subset_font.py FOLDER_OF_THE_COLLECTIONS
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

FACE = "Noto Sans CJK SC"
HERE = Path(__file__).resolve().parents[1] / "src" / "isocenter" / "pages" / "fonts"
# Latin with its extensions, Greek, Cyrillic, punctuation, signs of mathematics, arrows, shapes, full-width forms
RANGES = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x2010, 0x206F), (0x2070, 0x209C), (0x20A0, 0x20BF),
    (0x2100, 0x214F), (0x2190, 0x2199), (0x2200, 0x22FF), (0x2500, 0x257F), (0x25A0, 0x25FF), (0x3000, 0x303F),
    (0xFF00, 0xFFEF),
)  # fmt: skip


def wanted() -> set[int]:
    """Return the code points of GB 2312-80 and of the ranges above."""
    rows = [bytes((row, cell)) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF)]
    chinese = {ord(sign) for pair in rows for sign in pair.decode("gb2312", errors="ignore")}
    return chinese | {point for low, high in RANGES for point in range(low, high + 1)}


def subset(source: Path, target: Path) -> TTFont:
    """Write the simplified-Chinese face of a collection with the wanted characters only, and return it."""
    font = next(face for face in TTCollection(source) if face["name"].getDebugName(1).startswith(FACE))
    options = Options(layout_features=["kern", "ccmp", "locl", "mark"], hinting=False, desubroutinize=False)
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "DSIG"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 13, 14, 16, 17]
    cutter = Subsetter(options)
    cutter.populate(unicodes=wanted())
    cutter.subset(font)
    font["head"].modified = font["head"].created  # the same bytes whenever it is made
    font.recalcTimestamp = False
    font.save(target)
    return font


def covered(font: TTFont) -> str:
    """Return ranges of code points that a font has, one a line, such as "4e00-4e03"."""
    points = sorted(font.getBestCmap())
    starts = [point for point in points if point - 1 not in font.getBestCmap()]
    ends = [point for point in points if point + 1 not in font.getBestCmap()]
    return "".join(f"{start:x}-{end:x}\n" for start, end in zip(starts, ends, strict=True))


def main(folder: Path) -> None:
    """Make both weights and the list of what they cover."""
    for weight in ("Regular", "Bold"):
        font = subset(folder / f"NotoSansCJK-{weight}.ttc", HERE / f"NotoSansSC-{weight}.otf")
    (HERE / "covered.txt").write_text(covered(font), encoding="ascii", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
