"""A DICOM segmentation, ours or another's, as a mask."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from isocenter.dicom.objects import told
from isocenter.dicom.seg.frames import Segmentation, read_segmentation
from isocenter.dicom.seg.plane import PLACE_TOLERANCE_MM, Plane, Slot
from isocenter.errors import FileError, GridError, LabelError
from isocenter.image import Affine, LabelTable, Mask, Volume, resample_mask

Overlap = Literal["refuse", "first", "last"]
_MOST_SLICES = 20_000  # a grid of more comes from positions that do not belong together


def read_seg(path: Path, *, volume: Volume | None = None, threshold: float = 0.5, overlap: Overlap = "refuse") -> Mask:
    """Return the mask in a DICOM SEG: BINARY, FRACTIONAL or LABELMAP, by whichever writer.

    The label values are the segment numbers; names, codes and colours are the segments'.

    Args:
        path: The segmentation object.
        volume: The image it belongs to: the mask lies on its grid, voxel by voxel where the frames are slices
            of it, resampled by the largest share where they are not. None takes the frames' own grid, from the
            first frame to the last.
        threshold: Share from which a voxel of a FRACTIONAL object belongs to its segment; the largest share wins.
        overlap: A mask holds one label a voxel. Where two segments claim one: refuse, or keep the first or the
            last by segment number.

    Raises:
        FileError: No segmentation, damaged, or of no known type.
        GridError: Frames without a place in a patient, outside the image, or not in one stack.
        LabelError: No segment, or two that overlap.
    """
    read = read_segmentation(path)
    with told(path, "DICOM segmentation"):
        return _mask(read, volume, threshold, overlap)


def _mask(read: Segmentation, volume: Volume | None, threshold: float, overlap: Overlap) -> Mask:
    table = LabelTable(labels=read.labels)
    if volume is not None:
        slots = _slots(read, volume.affine)
        if slots is not None:
            labels = _fill(read, slots, volume.shape, threshold, overlap)
            return Mask(labels=labels, affine=volume.affine, table=table)
    affine, shape = _own_grid(read)
    slots = _slots(read, affine)
    if slots is None:
        raise GridError("The frames do not lie in one stack of parallel slices.")
    mask = Mask(labels=_fill(read, slots, shape, threshold, overlap), affine=affine, table=table)
    if volume is None:
        return mask
    return _resampled(mask, volume)


def _resampled(mask: Mask, volume: Volume) -> Mask:
    """Return a mask of another grid on the image's.

    Raises:
        GridError: Nothing of it lies in the image.
    """
    placed = resample_mask(mask, affine=volume.affine, shape=volume.shape)
    if mask.present and not placed.present:
        raise GridError("No labelled voxel lies inside the image; is it the segmentation of another series?")
    return placed


def _slots(read: Segmentation, affine: Affine) -> list[Slot] | None:
    """Return where each frame lies in a grid, None where one of them lies between its voxels."""
    slots = []
    for frame in read.frames:
        slot = frame.plane.slot_on(affine)
        if slot is None or not slot.is_on:
            return None
        slots.append(slot)
    return slots


def _own_grid(read: Segmentation) -> tuple[Affine, tuple[int, int, int]]:
    """Return the grid that the frames make by themselves; slices that hold nothing need not be there.

    Raises:
        GridError: Frames of several orientations or spacings, or not in equal steps along one line.
    """
    first = read.frames[0].plane
    places = np.array([frame.plane.origin for frame in read.frames])
    if any(not _is_parallel(frame.plane, first) for frame in read.frames):
        raise GridError("The frames are of several orientations or spacings; name the image that they belong to.")
    along = places @ first.normal
    order = np.argsort(along)
    levels = along[order][np.concatenate([[True], np.diff(along[order]) > PLACE_TOLERANCE_MM])]
    step = _step(levels, read.step_mm)
    count = round(float(levels[-1] - levels[0]) / step) + 1
    if count > _MOST_SLICES:
        raise GridError(f"The frames lie {levels[-1] - levels[0]:.0f} mm apart in steps of {step:.3g} mm.")
    start, end = places[order[0]], places[order[-1]]
    run = (end - start) / (count - 1) if count > 1 else first.normal * step
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([run, first.down, first.across], axis=1)
    matrix[:3, 3] = start
    return Affine(matrix=matrix), (count, *first.shape)


def _is_parallel(plane: Plane, other: Plane) -> bool:
    # 1e-4 mm a pixel: 0.05 mm over 512 of them
    return np.allclose(plane.down, other.down, atol=1e-4) and np.allclose(plane.across, other.across, atol=1e-4)


def _step(levels: npt.NDArray[np.float64], stated: float | None) -> float:
    """Return the distance of two slices: as stated where the frames fit it, else the smallest there is."""
    if len(levels) == 1:
        return stated or 1.0
    steps = np.diff(levels)
    for step in (stated, float(steps.min())):
        if step and np.abs(steps - np.rint(steps / step) * step).max() <= PLACE_TOLERANCE_MM:
            return step
    raise GridError(f"The frames lie in unequal steps of {steps.min():.3f} to {steps.max():.3f} mm.")


def _fill(
    read: Segmentation, slots: list[Slot], shape: tuple[int, int, int], threshold: float, overlap: Overlap
) -> npt.NDArray[np.uint16]:
    """Return labels (slice, row, column) of a grid, filled frame by frame.

    Raises:
        GridError: A labelled voxel outside the grid.
        LabelError: Two segments claim one voxel, and overlap says refuse.
    """
    labels = np.zeros(shape, dtype=np.uint16)
    shares = np.zeros(shape, dtype=np.float32) if read.kind == "FRACTIONAL" else None
    outside = double = 0
    for frame, slot, pixels in zip(read.frames, slots, read.pixels(), strict=True):
        claims = _claims(read, frame.segment, pixels, threshold)
        here, kept = slot.window(labels, claims.shape)
        outside += int(np.count_nonzero(claims)) - int(np.count_nonzero(claims[kept]))
        claims = claims[kept]
        wins = claims > 0
        if shares is not None:
            best, _ = slot.window(shares, pixels.shape)
            share = pixels[kept].astype(np.float32) / read.full
            wins &= share > best
            best[wins] = share[wins]
        else:
            both = wins & (here > 0) & (here != claims)
            double += int(np.count_nonzero(both))
            wins &= ~both | ((claims > here) if overlap == "last" else (claims < here))
        here[wins] = claims[wins]
    if outside:
        raise GridError(f"{outside} labelled voxels lie outside the image; is it the segmentation of another series?")
    if double and overlap == "refuse":
        raise LabelError(
            f"Segments overlap in {double} voxels; a mask holds one label each. "
            "Say which is to win (overlap first or last)."
        )
    return labels


def _claims(read: Segmentation, segment: int, pixels: npt.NDArray[Any], threshold: float) -> npt.NDArray[np.uint16]:
    """Return the label that each pixel (row, column) of a frame claims, 0 for none.

    Raises:
        FileError: A type of segmentation that is not known.
    """
    if read.kind == "LABELMAP":
        return pixels.astype(np.uint16)
    if read.kind == "FRACTIONAL":
        return np.where(pixels >= max(threshold * read.full, 1e-6), segment, 0).astype(np.uint16)
    if read.kind == "BINARY":
        return np.where(pixels > 0, segment, 0).astype(np.uint16)
    raise FileError(f"Segmentation type {read.kind} is not known.")
