"""What is written in pixels is blanked, scales may stay, and many frames are covered by few looks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from isocenter.dicom.elements.file import read_file
from isocenter.intake.deid.identity import NOBODY, identity_of
from isocenter.intake.deid.pixels.cleaner import Cleaner, has_pixels
from isocenter.intake.deid.pixels.look import is_text, look
from isocenter.intake.deid.pixels.picture import blank_picture, seen_in
from isocenter.intake.deid.pixels.stored import shown
from isocenter.intake.deid.proof.pixels import Eye, Views, is_like, look_again, printed, relief
from isocenter.plugins import find
from isocenter.processing.text import READERS
from isocenter.processing.text.line import Line, Picture, Reader
from tests.intake.deid.pixels.test_blank import made

FONT = Path(__file__).resolve().parents[4] / "src" / "isocenter" / "pages" / "fonts" / "NotoSansSC-Regular.otf"


class Scripted:
    """A reader that sees one line wherever something is white."""

    def __init__(self, text: str) -> None:
        self.text, self.pictures = text, 0

    def read(self, picture: Picture) -> tuple[Line, ...]:
        self.pictures += 1
        grey = picture if picture.ndim == 2 else picture.max(axis=2)
        rows, columns = np.nonzero(grey > 250)
        if not rows.size:
            return ()
        return (
            Line(top=int(rows.min()), left=int(columns.min()), bottom=int(rows.max()) + 1, right=int(columns.max()) + 1,
                 text=self.text, score=0.9),
        )  # fmt: skip


def marked() -> np.ndarray:
    frame = np.zeros((80, 100), np.uint8)
    frame[20:30, 30:60] = 255
    return frame


def test_a_line_is_blanked_with_a_margin() -> None:
    (box,) = look(marked(), reader=Scripted("Canary")).boxes()
    assert box[0] <= 19
    assert box[1] <= 29
    assert box[2] >= 31
    assert box[3] >= 61


@pytest.mark.parametrize(("text", "stays"), [("5 cm", True), ("Canary", False), ("12.03.1985", False)])
def test_scales_may_stay(text: str, stays: bool) -> None:
    seen = look(marked(), reader=Scripted(text), keeps_scales=True)
    assert bool(seen.kept) is stays
    assert bool(seen.blank) is not stays


def test_marks_without_a_letter_are_no_text() -> None:
    assert look(marked(), reader=Scripted("--")).boxes() == ()


def test_a_line_in_one_of_many_frames_is_blanked_in_all(tmp_path: Path) -> None:
    file = made("8 bit", tmp_path, frames=12)
    looked = Cleaner(reader=Scripted("Canary")).clean(file, was=file, identity=identity_of(file.elements))
    assert looked.frames == 12
    assert looked.boxes
    top, left, bottom, right = looked.boxes[0]
    for frame in shown(looked.file):
        inside = frame[max(0, top) : bottom, max(0, left) : right]
        assert (inside == inside.flat[0]).all()
    assert looked.file.text(0x00280301) == "NO"


def test_a_segmentation_has_nothing_written_in_it(tmp_path: Path) -> None:
    file = made("8 bit", tmp_path)
    assert has_pixels(file)
    bits = file.find(0x00280100)
    assert bits is not None
    bits.value = b"\1\0"
    assert not has_pixels(file)


def test_a_picture_is_blanked_and_stays_in_colour() -> None:
    import io

    picture = Image.fromarray(np.random.default_rng(1).integers(0, 200, (60, 80, 3), dtype=np.uint8))
    ImageDraw.Draw(picture).rectangle((10, 10, 40, 20), fill=(255, 255, 255))
    target = io.BytesIO()
    picture.save(target, "png")
    image, seen = seen_in(target.getvalue(), reader=Scripted("Canary"), keeps_scales=False)
    blank = blank_picture(image, seen.boxes())
    assert (blank.voxels[..., 12:18, 12:38] == blank.voxels.min()).all()
    assert (blank.voxels[..., 50:, :] == image.voxels[..., 50:, :]).all()


@pytest.mark.parametrize(("word", "views"), [("tesseract", printed), ("rapidocr", relief)])
def test_the_second_look_reads_what_was_not_blanked(word: str, views: Views, tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    import shutil

    if shutil.which("tesseract") is None:
        pytest.skip("tesseract (Debian's tesseract-ocr) is not installed")
    reader: Reader = find(word, table=READERS, group="isocenter.readers")()  # type: ignore[operator]
    eyes = (Eye(reader, views),)
    file = made("8 bit", tmp_path)
    element = next(one for one in file.elements if one.tag == 0x00080060)
    element.vr, element.tag, element.value = "PN", 0x00100010, b"Canary^Yellow "
    identity = identity_of(file.elements)
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 40, (300, 500), dtype=np.uint8))
    assert look_again(np.asarray(picture), eyes=eyes, identity=identity).names == ()
    ImageDraw.Draw(picture).text((50, 80), "Canary Yellow", fill=255, font=ImageFont.truetype(str(FONT), 24))
    assert look_again(np.asarray(picture), eyes=eyes, identity=identity).names


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("Finch", True),
        ("王伟", True),
        ("王 小 东 伟", True),
        ("一 ee 一 一 一", False),
        ("一 人 mm", False),
        ("R L", False),
    ],
)
def test_specks_are_not_taken_for_text(text: str, is_read: bool) -> None:
    frame = np.full((60, 80), 9, np.uint8)
    frame[20:30, 20:60] = 200
    assert bool(look_again(frame, eyes=(Eye(Scripted(text), relief),), identity=NOBODY).others) is is_read


@pytest.mark.parametrize(
    ("text", "alike"), [("CANARY", True), ("Canarv Yel1ow", True), ("Canal", False), ("Canada", False), ("XYZ", False)]
)
def test_a_word_read_a_little_wrong_is_known(text: str, alike: bool, tmp_path: Path) -> None:
    file = read_file(tmp_path / "in.dcm") if (tmp_path / "in.dcm").is_file() else made("8 bit", tmp_path)
    element = next(one for one in file.elements if one.tag == 0x00080060)
    element.vr, element.tag, element.value = "PN", 0x00100010, b"Canary^Yellow "
    assert is_like(text, identity_of(file.elements)) is alike


@pytest.mark.parametrize(
    ("height", "score", "expected"),
    [(20, 0.4, True), (37, 0.4, False), (37, 0.6, True), (60, 0.8, False), (60, 0.95, True)],
)
def test_the_larger_letters_would_be_the_surer_their_reader_must_be(height: int, score: float, expected: bool) -> None:
    line = Line(top=0, left=0, bottom=height, right=200, text="D0d", score=score)
    assert is_text(line, (224, 224)) is expected
