"""Masks as what a network learns: one channel per structure, per step of a grade, or per region; and exactly back.

Each encoding is int8 (channel, slice, row, column): 1 inside, 0 outside, -1 in every channel where nobody judged.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from isocenter.errors import LabelError
from isocenter.image import Affine, LabelTable, Mask

Channels = npt.NDArray[np.int8]

_UNJUDGED = -1


def one_hot(mask: Mask) -> Channels:
    """Return a channel for background, then one for each label in the table's order."""
    values = [0, *(label.value for label in mask.table)]
    return _encoded(mask, [(value,) for value in values])


def from_one_hot(channels: npt.NDArray[np.number], *, affine: Affine, table: LabelTable) -> Mask:
    """Return the mask of a one-hot encoding; of scores, that of the largest in each voxel.

    Args:
        channels: (1 + labels, slice, row, column).
        affine: Of their grid.
        table: That they were encoded by.

    Raises:
        LabelError: Another number of channels than the table asks for, or -1 where the table marks nothing to ignore.
    """
    _require_channels(channels, 1 + len(table))
    values = np.array([0, *(label.value for label in table)])
    return _mask(values[channels.argmax(axis=0)], channels, affine=affine, table=table)


def ordinal(mask: Mask) -> Channels:
    """Return a channel for each label in the table's order, from least to most: "is it this, or more?".

    Background is less than the first. Source: Cheng, Wang and Pollastri 2008, ordinal regression by neural networks.
    """
    values = [label.value for label in mask.table]
    return _encoded(mask, [tuple(values[place:]) for place in range(len(values))])


def from_ordinal(channels: npt.NDArray[np.number], *, affine: Affine, table: LabelTable) -> Mask:
    """Return the mask of an ordinal encoding: the last label up to which every answer is yes (above a half).

    Args:
        channels: (labels, slice, row, column).
        affine: Of their grid.
        table: That they were encoded by.

    Raises:
        LabelError: Another number of channels than the table asks for, or -1 where the table marks nothing to ignore.
    """
    _require_channels(channels, len(table))
    reached = np.zeros(channels.shape[1:], dtype=np.intp)
    still = np.ones(channels.shape[1:], dtype=bool)
    for channel in channels:
        still &= channel > 0.5
        reached += still
    values = np.array([0, *(label.value for label in table)])
    return _mask(values[reached], channels, affine=affine, table=table)


def regions(mask: Mask) -> Channels:
    """Return a channel for each region of the table, in its order, such as whole tumour, core, enhancing.

    Raises:
        LabelError: The regions do not tell the labels apart: see from_regions.
    """
    _owners(mask.table)
    return _encoded(mask, [region.values for region in mask.table.regions])


def from_regions(channels: npt.NDArray[np.number], *, affine: Affine, table: LabelTable) -> Mask:
    """Return the mask of an encoding by regions: in each voxel the innermost region that claims it (above a half).

    Args:
        channels: (regions, slice, row, column).
        affine: Of their grid.
        table: Whose regions lie inside or outside of each other, each with one label that no smaller one holds.

    Raises:
        LabelError: The table's regions are not so, another number of channels, or -1 where nothing is to be ignored.

    Source: Isensee et al. 2019, No new-net (region-based training on BraTS).
    """
    owners = _owners(table)
    _require_channels(channels, len(table.regions))
    labels = np.zeros(channels.shape[1:], dtype=np.uint16)
    for place in sorted(range(len(owners)), key=lambda one: -len(table.regions[one].values)):
        labels[channels[place] > 0.5] = owners[place]
    return _mask(labels, channels, affine=affine, table=table)


def _owners(table: LabelTable) -> list[int]:
    """Return of each region the one label that is its own, none of a smaller region inside of it."""
    sets = [frozenset(region.values) for region in table.regions]
    for place, one in enumerate(sets):
        for other in sets[:place]:
            if one & other and not (one < other or other < one):
                names = [region.name for region in table.regions if frozenset(region.values) in (one, other)]
                raise LabelError(f"Regions {' and '.join(names)} overlap, and neither lies inside of the other.")
    own = [one - frozenset().union(*(other for other in sets if other < one)) for one in sets]
    for region, labels in zip(table.regions, own, strict=True):
        if len(labels) != 1:
            raise LabelError(f"Region {region.name!r} has {len(labels)} labels of its own; to be read back it has one.")
    missed = [label.name for label in table if not any(label.value in labels for labels in own)]
    if missed:
        raise LabelError(f"No region holds {', '.join(missed)}: it would be lost. Add a region of it alone.")
    return [next(iter(labels)) for labels in own]


def _encoded(mask: Mask, groups: Sequence[tuple[int, ...]]) -> Channels:
    channels = np.empty((len(groups), *mask.shape), dtype=np.int8)
    for channel, values in zip(channels, groups, strict=True):
        channel[...] = np.isin(mask.labels, values)
    if mask.table.ignore in mask.present:
        channels[:, mask.labels == mask.table.ignore] = _UNJUDGED
    return channels


def _mask(
    labels: npt.NDArray[np.integer], channels: npt.NDArray[np.number], *, affine: Affine, table: LabelTable
) -> Mask:
    unjudged = (channels == _UNJUDGED).all(axis=0) if channels.dtype == np.int8 else np.zeros(labels.shape, dtype=bool)
    if unjudged.any():
        if table.ignore is None:
            raise LabelError(f"{int(unjudged.sum())} voxels are marked as not judged; the table has no value for them.")
        labels = np.where(unjudged, table.ignore, labels)
    return Mask(labels=labels, affine=affine, table=table)


def _require_channels(channels: npt.NDArray[np.number], count: int) -> None:
    if channels.ndim != 4 or len(channels) != count:
        raise LabelError(
            f"The table asks for {count} channels (channel, slice, row, column); here are {channels.shape}."
        )
