"""What to blank in a frame: every line that a reader sees, or every line but scales and callipers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.intake.deid.identity import Identity
from isocenter.intake.deid.pixels.blank import Box
from isocenter.intake.deid.words import cleaned
from isocenter.processing.text.find import find_text, grey_or_colour
from isocenter.processing.text.grow import grown
from isocenter.processing.text.line import Line, Picture, Reader

_LEAST_READ = 0.3  # a reader less sure than this has seen anatomy
_SURE = 0.5  # below it, only several letters of a usual size are taken for text
_SURE_OF_LARGE = 0.9
_LARGE = 0.25  # of the picture's shorter side: letters so high are mostly ribs and vessels
_SMALL, _SMALL_SHARE = 48, 0.1  # pixels of height, and share of the picture's shorter side
_MARGIN = 1  # pixels beyond the box of a reader, which is wide already
_GAP = 4  # rows between lines that were cut out
_MARKS = frozenset("十一丨+×✕*†Il|-—xX1")  # what a reader of text makes of a calliper, or of a graduation


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found in one frame.

    Args:
        blank: Lines to blank.
        kept: Lines that stay, as they say nothing but scales, technique and anatomy, or are callipers.
        before: What is to be blanked as it was, cut out, one below the other; it may name somebody.
    """

    blank: tuple[Line, ...]
    kept: tuple[Line, ...]
    before: Picture | None = None

    def boxes(self) -> tuple[Box, ...]:
        """Return what to blank, with a margin."""
        return tuple(_box(line) for line in self.blank)


def look(
    frame: npt.NDArray[Any], *, reader: Reader, identity: Identity | None = None, keeps_scales: bool = False
) -> Seen:
    """Return what is written in a frame.

    Args:
        frame: (rows, columns), or (rows, columns, 3), as shown.
        reader: Of processing.text.READERS.
        identity: Whom the file's header names; words of it go even where they are ordinary.
        keeps_scales: Callipers, and lines of which `words.cleaned` would take nothing, stay.
    """
    found = find_text(frame, reader=reader, least=_LEAST_READ)
    lines = [line for line in found if is_text(line, frame.shape[:2])]
    names = identity.searched if identity is not None else frozenset()
    kept = [line for line in lines if keeps_scales and not line.is_cut and _is_scale(line.text.strip(), names)]
    picture = grey_or_colour(frame)
    blank = tuple(grown(line, picture) for line in lines if line not in kept)
    return Seen(blank=blank, kept=tuple(kept), before=_cut_out(picture, blank) if blank else None)


def _cut_out(picture: Picture, lines: Sequence[Line]) -> Picture:
    cuts = [picture[line.top : line.bottom, line.left : line.right] for line in lines]
    rows, columns = sum(cut.shape[0] + _GAP for cut in cuts), max(cut.shape[1] for cut in cuts)
    sheet, top = np.zeros((rows, columns, *picture.shape[2:]), np.uint8), 0
    for cut in cuts:
        sheet[top : top + cut.shape[0], : cut.shape[1]] = cut
        top += cut.shape[0] + _GAP
    return sheet


def _is_scale(text: str, names: frozenset[str]) -> bool:
    return text in _MARKS or cleaned(text, identity=names) == text


def is_text(line: Line, shape: tuple[int, ...]) -> bool:
    """Return whether a line is text rather than anatomy, by how sure its reader is and how large it would be.

    Args:
        line: As read.
        shape: Rows and columns of the frame.
    """
    letters = sum(1 if letter.isascii() else 2 for letter in line.text if letter.isalnum())
    height = min(line.bottom - line.top, line.right - line.left)
    if not letters or (height > _LARGE * min(shape) and line.score < _SURE_OF_LARGE):
        return False
    return line.score >= _SURE or (letters > 1 and height <= min(_SMALL, _SMALL_SHARE * min(shape)))


def _box(line: Line) -> Box:
    return (
        max(0, line.top - _MARGIN), max(0, line.left - _MARGIN), line.bottom + _MARGIN, line.right + _MARGIN,
    )  # fmt: skip
