"""Pictures in PNG, JPEG, TIFF and BMP files: read as they were stored, upright, and written as PNG.

Pillow is loaded when the first file is touched. Only pixels are taken: EXIF, XMP, comments and profiles stay behind.
"""

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import FileError, InputError
from isocenter.image.affine import Affine
from isocenter.image.aside import write_whole
from isocenter.image.mask import Mask
from isocenter.image.volume import Volume

if TYPE_CHECKING:
    from PIL.Image import Image

RASTER_ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp")
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
_MOST_PIXELS = 1 << 27  # 11,600 on a side: above it a small file may have been made to fill the memory
_ORIENTATION, _BITS, _PHOTOMETRIC = 0x0112, 258, 262  # tags of EXIF 2.32 and TIFF 6.0
_WHITE_IS_ZERO = 0
_DEEP_PNG = {2, 4, 6}  # colour types with several samples a pixel (PNG 11.2.1), which Pillow cuts to 8 bits
_SPREAD = {2: 85, 4: 17}  # grey of 2 and 4 bits comes from Pillow spread over 0..255
_BINARY_SLACK = 48  # how far JPEG moves a mask's 0 and 255; what lies between belongs to no side
_BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError, IndexError, OverflowError, MemoryError,
    AttributeError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow raises at a damaged file."""

Pixels = npt.NDArray[Any]


def is_raster(path: Path) -> bool:
    """Return whether a path is named as a picture that can be read here."""
    return path.suffix.lower() in RASTER_ENDINGS


def read_raster(path: Path, *, modality: str = "OT") -> Volume:
    """Return the picture in a file (see decode_raster).

    Raises:
        FileError: It cannot be read, or holds no single whole picture.
        InputError: NaN or infinite values.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path.name} cannot be read ({error.strerror}). Check that it is there.") from error
    return decode_raster(content, name=path.name, modality=modality)


def decode_raster(content: bytes, *, name: str, modality: str = "OT") -> Volume:
    """Return the picture in the bytes of a file: grey (1, row, column), or colour (3, 1, row, column).

    Values are kept as stored: 16 bits stay 16 bits, 12 used ones are not stretched. A colour picture whose three
    planes are equal is grey. Transparent parts are laid on black; palettes become their colours. The picture is turned
    upright as EXIF says. How large a pixel is stays unknown: resolution tags speak of paper.

    Args:
        content: A whole file.
        name: What a message calls it.
        modality: DICOM's code, where somebody has said it.

    Raises:
        FileError: Of another kind, damaged, cut off, too large, in printers' colours, or of several pages.
        InputError: NaN or infinite values.
    """
    array = _as_seen(_opened(content, name=name), content, name=name)
    if array.ndim == 3 and bool((array[..., :1] == array[..., 1:]).all()):
        array = array[..., 0]
    voxels = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)[:, None]
    try:
        return Volume(
            voxels=np.ascontiguousarray(voxels), affine=picture_affine(), modality=modality, is_planar=True,
            has_size=False,
        )  # fmt: skip
    except InputError as error:
        raise type(error)(f"{name}: {error}") from error


def decode_labels(content: bytes, *, name: str) -> Pixels:
    """Return the labels in a label image, (1, row, column): grey values as they are, of a palette its indices.

    A JPEG changes values, so it is taken only where it plainly is black and white; it then holds 0 and 255.

    Args:
        content: A whole file.
        name: What a message calls it.

    Raises:
        FileError: Of another kind, damaged, cut off, too large, in colour, a JPEG of greys, or of several pages.
    """
    image = _opened(content, name=name)
    if image.mode == "P":
        return _upright(np.asarray(image), image)[None]
    is_jpeg, spread = image.format in ("JPEG", "MPO"), _spread_of(image, content)
    array = _as_seen(image, content, name=name, is_opaque=True)
    if array.ndim == 3:
        if not bool((array[..., :1] == array[..., 1:]).all()):
            raise FileError(
                f"{name}: the label image is in colour. Save it with one number a pixel: grey, or indices of a palette."
            )
        array = array[..., 0]
    if is_jpeg:
        return _black_and_white(array, name)[None]
    return (array // spread)[None] if spread > 1 else array[None]


def picture_affine(*, row_mm: float = 1.0, column_mm: float = 1.0) -> Affine:
    """Return the grid of a picture without place: columns grow to the left of the patient, rows to the back."""
    return Affine.from_parts(
        origin=(0.0, 0.0, 0.0),
        directions=((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
        spacing=(1.0, row_mm, column_mm),
    )


def write_raster(image: Volume | Mask, path: Path) -> None:
    """Write a picture or label image as PNG, 8 or 16 bits as it is; the file appears whole or not at all.

    A mask of values up to 255 bears its table's colours as a palette, whose indices are its labels.

    Raises:
        InputError: More than one slice, or values that are no whole numbers in 0..65535.
        FileError: The folder cannot be written, or the disk is full.
    """
    write_whole(encode_png(image), path)


def encode_png(image: Volume | Mask) -> bytes:
    """Return a picture or label image as the bytes of a PNG file.

    Raises:
        InputError: As in write_raster.
    """
    if image.shape[0] != 1:
        raise InputError(f"PNG keeps one slice; this volume has {image.shape[0]}. Write NIfTI, or slice by slice.")
    return _mask_png(image) if isinstance(image, Mask) else _volume_png(image)


def _opened(content: bytes, *, name: str) -> "Image":
    """Return a picture whose header has been looked at and whose pixels are decoded.

    Raises:
        FileError: Of another kind, damaged, cut off, too large, or of several pages.
    """
    from PIL import Image, UnidentifiedImageError
    from PIL.TiffImagePlugin import TiffImageFile  # loaded first, so that Pillow need not go through all its plug-ins

    if not content:
        raise FileError(f"{name}: the file has 0 bytes. Copy it again from its source.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(BytesIO(content), formats=_FORMATS)
            _require_one(image, name, kind="pages" if isinstance(image, TiffImageFile) else "frames of an animation")
            image.load()
            if image.format == "PNG" and b"IEND" not in content[-4096:]:  # its pixels may be whole, the file is not
                raise OSError("its end is missing")
    except UnidentifiedImageError as error:
        raise FileError(
            f"{name}: no PNG, JPEG, TIFF or BMP that can be read: damaged, or of another kind. Copy it again, or save "
            "it as PNG."
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(name, "more than 178 million") from error
    except FileError:
        raise
    except _BROKEN as error:
        raise FileError(f"{name}: damaged or cut off ({_words(error)}). Copy it again from its source.") from error
    return image


def _require_one(image: "Image", name: str, *, kind: str) -> None:
    """Do nothing where a header speaks of one picture of a size that can be.

    Raises:
        FileError: Too large, in printers' colours, or of several pages.
    """
    pixels = image.width * image.height
    if pixels > _MOST_PIXELS:
        raise _too_large(name, f"{pixels:,}")
    if image.mode in ("CMYK", "LAB", "HSV"):
        told = "CMYK or YCCK, the colours of printers" if image.mode == "CMYK" else image.mode
        raise FileError(f"{name}: its colours are {told}. Save it in RGB or grey.")
    pages = int(getattr(image, "n_frames", 1))
    # a phone's JPEG with further views (MPO, CIPA DC-007) shows its first picture in every reader, and here
    if pages > 1 and image.format != "MPO":
        raise FileError(f"{name}: it holds {pages} {kind}; a picture has one. Save the one that is meant, or each.")


def _too_large(name: str, pixels: str) -> FileError:
    return FileError(
        f"{name}: it claims {pixels} pixels; pictures of up to {_MOST_PIXELS:,} are read. Save it smaller, or in parts."
    )


def _words(error: BaseException) -> str:
    """Return what a library says, without addresses of its own."""
    return str(error).split(" at 0x")[0].strip(". ")[:120] or type(error).__name__


def _as_seen(image: "Image", content: bytes, *, name: str, is_opaque: bool = False) -> Pixels:
    """Return (row, column) or (row, column, 3), upright.

    Args:
        image: Decoded.
        content: The file's bytes: a picture of several 16-bit samples is decoded again without loss.
        name: What a message calls it.
        is_opaque: Drops what transparency there is, as a label image's means nothing.
    """
    array = _deep(content, image, name=name) if _is_deep(image, content) else _array(image)
    if array.ndim == 3 and array.shape[-1] in (2, 4):
        array = array[..., :-1] if is_opaque else _on_black(array)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


def _array(image: "Image") -> Pixels:
    """Return a decoded picture's samples (row, column) or (row, column, sample), upright."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    elif image.mode in ("YCbCr", "RGBX", "RGBa", "La"):
        image = image.convert({"RGBa": "RGBA", "La": "LA"}.get(image.mode, "RGB"))
    array = np.asarray(image)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    tags = getattr(image, "tag_v2", {})
    if image.mode.startswith("I;16") and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        array = 65535 - array  # Pillow turns 1 and 8 bits around by itself
    if array.dtype == np.int32:
        low, high = int(array.min()), int(array.max())
        array = array.astype(np.int16 if low >= -32768 and high < 32768 else np.int32, copy=False)
    return _upright(array, image)


def _upright(array: Pixels, image: "Image") -> Pixels:
    """Return pixels turned as EXIF says; Pillow itself turns a TIFF while decoding, and takes the tag out."""
    return _turned(array, int(image.getexif().get(_ORIENTATION, 1)))


def _turned(array: Pixels, orientation: int) -> Pixels:
    """Return (row, column, …) as an orientation of 1 to 8 asks (EXIF 2.32, table 6)."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def _is_deep(image: "Image", content: bytes) -> bool:
    """Return whether a file holds several samples a pixel of 16 bits each."""
    if image.format == "PNG":
        return content[24] == 16 and content[25] in _DEEP_PNG
    return image.format == "TIFF" and len(image.getbands()) > 1 and max(_bits(image)) == 16


def _bits(image: "Image") -> tuple[int, ...]:
    found = getattr(image, "tag_v2", {}).get(_BITS, (8,))
    return found if isinstance(found, tuple) else (int(found),)


def _deep(content: bytes, image: "Image", *, name: str) -> Pixels:
    """Return 16-bit samples (row, column, sample) by SimpleITK, which keeps their lower byte.

    Raises:
        FileError: It cannot decode the file.
    """
    import SimpleITK as sitk

    kind = str(image.format).lower()
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"picture.{kind}"
        path.write_bytes(content)
        try:
            array = sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO=f"{kind.upper()}ImageIO"))
        except RuntimeError as error:
            raise FileError(f"{name}: its 16-bit colours cannot be decoded. Save it as 8-bit PNG.") from error
    array = array[0] if array.ndim == 4 else array
    if array.dtype != np.uint16:  # what its reader does not know, such as a TIFF on its side, it cuts to 8 bits
        raise FileError(f"{name}: its 16-bit colours are stored in an unusual form. Save it upright, as 16-bit PNG.")
    return _upright(array, image)


def _on_black(array: Pixels) -> Pixels:
    """Return samples whose last one is the opacity, laid on black."""
    opacity, seen = array[..., -1:], array[..., :-1]
    top = np.iinfo(array.dtype).max
    if int(opacity.min()) == top:
        return seen
    return np.rint(seen.astype(np.float64) * opacity / top).astype(array.dtype)


def _spread_of(image: "Image", content: bytes) -> int:
    """Return what the labels of a grey PNG of few bits were multiplied by."""
    return _SPREAD.get(content[24], 1) if image.format == "PNG" and image.mode == "L" else 1


def _black_and_white(array: Pixels, name: str) -> Pixels:
    between = float(((array > _BINARY_SLACK) & (array < 255 - _BINARY_SLACK)).mean())
    if between > 0.02:  # edges of outlines; more of it is a picture, or labels that JPEG has mixed
        raise FileError(
            f"{name}: a label image in JPEG, whose compression has changed the labels ({between:.0%} of the pixels are "
            "neither black nor white). Save it as PNG from its source."
        )
    return np.where(array >= 128, 255, 0).astype(np.uint8)


def _volume_png(volume: Volume) -> bytes:
    voxels = volume.voxels
    if voxels.dtype not in (np.uint8, np.uint16):
        whole = np.rint(voxels)
        low, high = float(whole.min()), float(whole.max())
        if not np.array_equal(whole, voxels) or low < 0 or high > 65535:
            raise InputError(
                f"PNG keeps whole numbers from 0 to 65535; these run from {low:g} to {high:g}. Write NIfTI, or scale."
            )
        voxels = whole.astype(np.uint8 if high < 256 else np.uint16)
    if voxels.ndim == 4 and voxels.dtype == np.uint16:
        return _deep_png(np.ascontiguousarray(np.moveaxis(voxels[:, 0], 0, -1)))
    return array_png(voxels[0] if voxels.ndim == 3 else np.moveaxis(voxels[:, 0], 0, -1))


def _mask_png(mask: Mask) -> bytes:
    labels = mask.labels[0]
    if labels.dtype != np.uint8:
        return array_png(labels)
    palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    for label in mask.table:
        if label.value < 256:
            palette[label.value] = label.colour
    return array_png(labels, palette=palette.tobytes())


def array_png(array: Pixels, *, palette: bytes = b"") -> bytes:
    """Return (rows, columns), or (rows, columns, 3) of 8 bits, as the bytes of a PNG file."""
    from PIL import Image

    made = Image.fromarray(np.ascontiguousarray(array))
    if palette:
        made.putpalette(palette)
    held = BytesIO()
    made.save(held, format="PNG")
    return held.getvalue()


def _deep_png(array: Pixels) -> bytes:
    import SimpleITK as sitk

    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        sitk.WriteImage(sitk.GetImageFromArray(array, isVector=True), str(path))
        return path.read_bytes()
