"""Pictures and NIfTI files keep every pixel and nothing else."""

import gzip
import io
import struct

import nibabel as nib
import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from isocenter.errors import FileError
from isocenter.intake.deid.pictures import strip

RNG = np.random.default_rng(3)
GREY = Image.fromarray(RNG.integers(0, 255, (40, 30), dtype=np.uint8))
COLOUR = Image.fromarray(RNG.integers(0, 255, (40, 30, 3), dtype=np.uint8))
DEEP = Image.fromarray(RNG.integers(0, 65535, (40, 30), dtype=np.uint16))
WHO = "Canary Yellow 4711001"


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **how)
    return target.getvalue()


def pixels(content: bytes) -> list[np.ndarray]:
    image = Image.open(io.BytesIO(content))
    found = []
    for page in range(getattr(image, "n_frames", 1)):
        image.seek(page)
        found.append(np.asarray(image))
    return found


def exif(orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = orientation
    made[ExifTags.Base.Artist] = WHO
    made[ExifTags.Base.DateTime] = "2020:03:01 10:15:00"
    return made


@pytest.mark.parametrize("image", [GREY, COLOUR, DEEP], ids=["grey", "colour", "16 bit"])
def test_a_png_loses_its_texts_and_no_pixel(image: Image.Image) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Patient", WHO)
    texts.add_itxt("Comment", WHO)
    content = saved(image, "png", pnginfo=texts, exif=exif()) + WHO.encode()
    bare = strip(content, "png")
    assert WHO.encode() not in bare.content
    assert {"tEXt", "iTXt", "eXIf", "bytes behind its end"} <= set(bare.removed)
    assert all((a == b).all() for a, b in zip(pixels(content), pixels(bare.content), strict=True))


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("progressive", [True, False])
def test_a_jpeg_loses_exif_and_comments_and_no_pixel(image: Image.Image, progressive: bool) -> None:
    content = saved(image, "jpeg", exif=exif(), comment=WHO, progressive=progressive, xmp=WHO.encode())
    bare = strip(content + WHO.encode(), "jpeg")
    assert WHO.encode() not in bare.content
    assert {"Exif or XMP", "comment"} <= set(bare.removed)
    assert (pixels(content)[0] == pixels(bare.content)[0]).all()


def test_a_jpeg_keeps_which_side_is_up() -> None:
    bare = strip(saved(COLOUR, "jpeg", exif=exif(orientation=6)), "jpeg")
    found = Image.open(io.BytesIO(bare.content)).getexif()
    assert dict(found) == {ExifTags.Base.Orientation: 6}


@pytest.mark.parametrize("image", [GREY, COLOUR, DEEP], ids=["grey", "colour", "16 bit"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
def test_a_tiff_loses_its_texts_and_no_pixel(image: Image.Image, compression: str) -> None:
    content = saved(image, "tiff", compression=compression, description=WHO, software=WHO, artist=WHO)
    bare = strip(content, "tiff")
    assert WHO.encode() not in bare.content
    assert {"ImageDescription", "Software", "Artist"} <= set(bare.removed)
    assert (pixels(content)[0] == pixels(bare.content)[0]).all()


def test_a_tiff_keeps_all_its_pages() -> None:
    content = saved(GREY, "tiff", save_all=True, append_images=[GREY.rotate(90), GREY.rotate(180)], description=WHO)
    bare = strip(content, "tiff")
    assert len(pixels(bare.content)) == 3
    assert all((a == b).all() for a, b in zip(pixels(content), pixels(bare.content), strict=True))


def test_a_bigtiff_and_one_of_the_other_byte_order_are_read() -> None:
    content = saved(DEEP, "tiff", big_tiff=True, description=WHO)
    assert (pixels(strip(content, "tiff").content)[0] == pixels(content)[0]).all()
    other = struct.pack(">2sHI", b"MM", 42, 8)
    fields = [(256, 3, 2), (257, 3, 1), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 122), (277, 3, 1), (278, 3, 1),
              (279, 4, 2)]  # fmt: skip
    other += struct.pack(">H", len(fields))
    for tag, kind, value in fields:
        other += struct.pack(">HHI", tag, kind, 1) + struct.pack(
            ">HH" if kind == 3 else ">I", *([value, 0] if kind == 3 else [value])
        )
    other += struct.pack(">I", 0)
    other = other.ljust(122, b"\0") + b"\x10\x20"
    assert pixels(strip(other, "tiff").content)[0].tolist() == [[16, 32]]


def nifti(kind: type) -> bytes:
    made = kind(RNG.integers(0, 99, (4, 5, 6), dtype=np.int16), np.diag([1, 2, 3, 1]))
    made.header["descrip"] = WHO
    made.header["aux_file"] = b"Canary.txt"
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", WHO.encode()))
    return bytes(made.to_bytes())


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("packed", [True, False])
def test_a_nifti_loses_its_texts_and_no_voxel(kind: type, packed: bool) -> None:
    content = nifti(kind)
    bare = strip(gzip.compress(content) if packed else content, "nifti")
    whole = gzip.decompress(bare.content) if packed else bare.content
    assert b"Canary" not in whole
    assert {"descrip", "aux_file", "extensions"} <= set(bare.removed)
    was, now = kind.from_bytes(content), kind.from_bytes(whole)
    assert (np.asarray(was.dataobj) == np.asarray(now.dataobj)).all()
    assert (was.affine == now.affine).all()


def test_the_same_file_is_stripped_to_the_same_bytes() -> None:
    content = gzip.compress(nifti(nib.Nifti1Image))
    assert strip(content, "nifti") == strip(content, "nifti")


CONTENTS = {
    "png": saved(GREY, "png"), "jpeg": saved(GREY, "jpeg"), "tiff": saved(GREY, "tiff"),
    "nifti": nifti(nib.Nifti1Image),
}  # fmt: skip


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_file_cut_anywhere_is_refused_or_whole_again_and_never_hangs(kind: str) -> None:
    content = CONTENTS[kind]
    for length in range(0, len(content), 37):
        try:
            strip(content[:length], kind)
        except FileError:
            continue


@pytest.mark.parametrize("kind", CONTENTS)
def test_another_kind_of_file_is_refused(kind: str) -> None:
    with pytest.raises(FileError):
        strip(b"Dear Dr. Canary, " * 40, kind)


def test_pages_that_go_round_in_a_circle_end() -> None:
    content = bytearray(CONTENTS["tiff"])
    first = struct.unpack_from("<I", content, 4)[0]
    count = struct.unpack_from("<H", content, first)[0]
    struct.pack_into("<I", content, first + 2 + 12 * count, first)
    with pytest.raises(FileError, match="circle"):
        strip(bytes(content), "tiff")


def test_half_of_a_pair_is_refused() -> None:
    content = bytearray(nifti(nib.Nifti1Image)[:348])
    struct.pack_into("<f", content, 108, 0)
    with pytest.raises(FileError, match="pair"):
        strip(bytes(content), "nifti")
