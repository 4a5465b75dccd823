"""Pictures in files: what is read is what was stored, upright; what cannot be read says why."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from PIL import Image, ImageOps

from isocenter.errors import FileError, InputError
from isocenter.image import Affine, LabelTable, Mask, Volume
from isocenter.image.raster import decode_labels, decode_raster, is_raster, picture_affine, read_raster, write_raster

Array = npt.NDArray[np.generic]
GREY = np.arange(35, dtype=np.uint8).reshape(5, 7) * 7
RGB = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)


def saved(array: Array, *, kind: str = "PNG", mode: str | None = None, **options: object) -> bytes:
    image = Image.fromarray(array)
    held = BytesIO()
    (image if mode is None else image.convert(mode)).save(held, format=kind, **options)
    return held.getvalue()


def grey_of(content: bytes) -> Array:
    volume = decode_raster(content, name="a.png")
    assert volume.is_planar
    assert volume.channels == 1
    return volume.voxels[0]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_grey_comes_back_as_grey_however_it_was_stored(kind: str, mode: str) -> None:
    assert np.array_equal(grey_of(saved(GREY, kind=kind, mode=mode)), GREY)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_colour_keeps_its_three_planes_in_their_order(kind: str) -> None:
    volume = decode_raster(saved(RGB, kind=kind), name="a")
    assert volume.voxels.shape == (3, 1, 5, 7)
    assert np.array_equal(np.moveaxis(volume.voxels[:, 0], 0, -1), RGB)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_twelve_used_bits_of_sixteen_stay_as_they_are(kind: str) -> None:
    deep = GREY.astype(np.uint16) * 16
    assert np.array_equal(grey_of(saved(deep, kind=kind)), deep)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_colours_of_sixteen_bits_keep_their_lower_byte(ending: str, tmp_path: Path) -> None:
    deep = (RGB.astype(np.int64) * 257 - 100 * (RGB > 0)).astype(np.uint16)
    path = tmp_path / f"a.{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(deep, isVector=True), str(path))
    volume = read_raster(path)
    assert volume.voxels.dtype == np.uint16
    assert np.array_equal(np.moveaxis(volume.voxels[:, 0], 0, -1), deep)


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_deep_coloured_tiff_on_its_side_is_not_cut_to_eight_bits(tmp_path: Path, orientation: int) -> None:
    deep = RGB.astype(np.uint16) * 257
    sitk.WriteImage(sitk.GetImageFromArray(deep, isVector=True), str(tmp_path / "a.tif"))
    content = bytearray((tmp_path / "a.tif").read_bytes())
    first = int.from_bytes(content[4:8], "little")
    entries = range(first + 2, first + 2 + 12 * int.from_bytes(content[first : first + 2], "little"), 12)
    [at] = [entry for entry in entries if int.from_bytes(content[entry : entry + 2], "little") == 0x0112]
    content[at + 8] = orientation
    with pytest.raises(FileError, match=r"^a\.tif: its 16-bit colours"):
        decode_raster(bytes(content), name="a.tif")


def test_a_tiff_of_fractions_stays_fractions() -> None:
    told = GREY.astype(np.float32) / 8
    assert np.array_equal(grey_of(saved(told, kind="TIFF")), told)


def test_a_tiff_with_nan_is_refused_by_name() -> None:
    told = GREY.astype(np.float32)
    told[0, 0] = np.nan
    with pytest.raises(InputError, match=r"^a\.tif: 1 of 35 voxels are NaN"):
        decode_raster(saved(told, kind="TIFF"), name="a.tif")


@pytest.mark.parametrize(("order", "mark"), [(">", b"MM"), ("<", b"II")])
def test_a_tiff_of_either_byte_order_is_read(order: str, mark: bytes) -> None:
    values = GREY.astype(np.uint16) * 100
    assert np.array_equal(grey_of(tiff(values, order=order, mark=mark)), values)


def test_a_tiff_whose_zero_is_white_is_turned_around() -> None:
    values = GREY.astype(np.uint16) * 100
    assert np.array_equal(grey_of(tiff(values, order="<", mark=b"II", photometric=0)), 65535 - values)


def tiff(values: npt.NDArray[np.uint16], *, order: str, mark: bytes, photometric: int = 1) -> bytes:
    """Return a TIFF of one strip, written by hand from TIFF 6.0, section 2."""
    pixels = values.astype(f"{order}u2").tobytes()
    rows, columns = values.shape
    told = ((256, columns), (257, rows), (258, 16), (259, 1), (262, photometric), (273, 8), (277, 1), (278, rows))
    entries = [struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in told]
    entries.append(struct.pack(f"{order}HHII", 279, 4, 1, len(pixels)))
    head = mark + struct.pack(f"{order}HI", 42, 8 + len(pixels))
    return head + pixels + struct.pack(f"{order}H", len(entries)) + b"".join(entries) + b"\0\0\0\0"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_as_pillow_would_turn_it(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(np.kron(GREY, np.ones((16, 16), np.uint8)), kind=kind, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(content))))
    assert np.array_equal(grey_of(content), upright)


def test_transparent_parts_are_black() -> None:
    clear = np.dstack([RGB, np.full((5, 7), 255, np.uint8)])
    clear[0, :, 3] = 0
    volume = decode_raster(saved(clear), name="a")
    assert volume.voxels[:, 0, 0].max() == 0
    assert np.array_equal(volume.voxels[:, 0, 1:], np.moveaxis(RGB, -1, 0)[:, 1:])


def test_no_resolution_tag_is_taken_for_millimetres() -> None:
    volume = decode_raster(saved(GREY, dpi=(300, 300)), name="a")
    assert not volume.has_size


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "printers' colours": (lambda: saved(GREY, kind="JPEG", mode="CMYK"), "CMYK"),
    "pages": (lambda: saved(GREY, kind="TIFF", save_all=True, append_images=[Image.fromarray(GREY)] * 2), "3 pages"),
    "an animation": (
        lambda: saved(GREY, save_all=True, append_images=[Image.fromarray(255 - GREY)]), "2 frames of an animation",
    ),
    "nothing": (lambda: b"", "0 bytes"),
    "another kind": (lambda: saved(GREY, kind="GIF"), "of another kind"),
    "a bomb": (lambda: bomb(), "claims 400,000,000,000 pixels|more than 178 million"),
}  # fmt: skip


def bomb() -> bytes:
    """Return a PNG whose header claims far more pixels than its bytes hold."""
    content = bytearray(saved(GREY))
    content[16:24] = struct.pack(">II", 1_000_000, 400_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_single_picture_is_refused_in_words(what: str) -> None:
    made, told = REFUSED[what]
    with pytest.raises(FileError, match=rf"^a\.x: .*({told})"):
        decode_raster(made(), name="a.x")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
@pytest.mark.parametrize("left", [0.1, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_refused(kind: str, left: float) -> None:
    content = saved(np.random.default_rng(0).integers(0, 255, (60, 70), dtype=np.uint8), kind=kind)
    with pytest.raises(FileError, match=r"^a\.x: .*Copy it again"):
        decode_raster(content[: int(len(content) * left)], name="a.x")


def test_a_damaged_png_is_refused() -> None:
    content = bytearray(saved(np.random.default_rng(0).integers(0, 255, (60, 70), dtype=np.uint8)))
    content[1000] ^= 0xFF
    with pytest.raises(FileError):
        decode_raster(bytes(content), name="a.png")


def test_the_indices_of_a_palette_are_the_labels() -> None:
    labels = (GREY % 3).astype(np.uint8)
    image = Image.fromarray(labels)
    image.putpalette([0, 0, 0, 200, 30, 30, 30, 200, 30])
    held = BytesIO()
    image.save(held, format="PNG")
    assert np.array_equal(decode_labels(held.getvalue(), name="a")[0], labels)


def test_grey_of_four_bits_holds_labels_and_not_their_spread() -> None:
    labels = np.arange(12, dtype=np.uint8).reshape(2, 6)
    lines = b"".join(b"\0" + bytes(row[0::2] << 4 | row[1::2]) for row in labels)
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 6, 2, 4, 0, 0, 0, 0)), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    chunks = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts]
    assert np.array_equal(decode_labels(b"\x89PNG\r\n\x1a\n" + b"".join(chunks), name="a")[0], labels)


def test_a_black_and_white_jpeg_is_a_mask_and_a_grey_one_is_not() -> None:
    shape = np.zeros((64, 64), np.uint8)
    shape[20:40, 20:40] = 255
    assert np.array_equal(decode_labels(saved(shape, kind="JPEG"), name="a")[0], shape)
    with pytest.raises(FileError, match="label image in JPEG"):
        decode_labels(saved(np.kron(GREY, np.ones((8, 8), np.uint8)), kind="JPEG"), name="a")


def test_a_label_image_in_colour_is_refused() -> None:
    with pytest.raises(FileError, match="label image is in colour"):
        decode_labels(saved(RGB), name="a")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("is_colour", [True, False])
def test_what_is_written_is_read_again(dtype: type[np.generic], is_colour: bool, tmp_path: Path) -> None:
    array = np.moveaxis(RGB, -1, 0)[:, None] if is_colour else GREY[None]
    volume = Volume(voxels=array.astype(dtype) * (np.iinfo(dtype).max // 255), affine=picture_affine(), is_planar=True)
    write_raster(volume, tmp_path / "a.png")
    again = read_raster(tmp_path / "a.png")
    assert again.voxels.dtype == dtype
    assert np.array_equal(again.voxels, volume.voxels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("most", [2, 300])
def test_a_mask_is_written_as_the_labels_that_it_holds(most: int, tmp_path: Path) -> None:
    labels = np.zeros((1, 5, 7), np.uint16)
    labels[0, 1, 1], labels[0, 2, 2] = 1, most
    table = LabelTable.of(*(f"s{value}" for value in range(1, most + 1)))
    write_raster(Mask(labels=labels, affine=picture_affine(), table=table), tmp_path / "m.png")
    assert np.array_equal(decode_labels((tmp_path / "m.png").read_bytes(), name="m"), labels)


def test_png_refuses_what_it_cannot_keep(tmp_path: Path) -> None:
    stack = Volume(voxels=np.zeros((2, 3, 4)), affine=Affine(matrix=np.eye(4)))
    with pytest.raises(InputError, match="has 2"):
        write_raster(stack, tmp_path / "a.png")
    below = Volume(voxels=np.full((1, 3, 4), -5), affine=Affine(matrix=np.eye(4)))
    with pytest.raises(InputError, match="from -5 to -5"):
        write_raster(below, tmp_path / "a.png")


def test_pictures_are_known_by_their_endings() -> None:
    assert is_raster(Path("a.JPEG"))
    assert is_raster(Path("a.tif"))
    assert not is_raster(Path("a.dcm"))
