"""Scales learnt from a cohort, so that one tissue has one value whatever the scanner."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import InputError, RecipeError
from isocenter.image import Volume
from isocenter.processing.restoration.intensity import Within, measured
from isocenter.processing.restoration.restored import Restored, require_grey, span_of

Doubles = npt.NDArray[np.float64]

_DECILES = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
_STANDARD = 100.0  # the upper end of the standard scale; the lower one is 0
_QUANTILES = 101


def fit_nyul(
    volumes: Iterable[Volume], *, percentiles: Sequence[float] = _DECILES, within: Within = "body"
) -> dict[str, list[float]]:
    """Return the landmarks of a cohort, as `nyul` takes them.

    Args:
        volumes: Of the training side only, of one channel and kind; read once, one at a time.
        percentiles: That the landmarks stand for; the first becomes 0, the last 100.
        within: Where they are taken.

    Raises:
        InputError: No volume, one in HU, SUV or colour, or one whose values are too few for the landmarks to rise.
        RecipeError: Percentiles that do not rise from 0 to 100.
    """
    _require_rising(percentiles)
    found = [_percentiles(volume, percentiles, within=within, step="nyul") for volume in volumes]
    flat = sum(one[0] == one[-1] for one in found)
    if flat or not found:
        raise InputError(f"{flat} of {len(found)} volumes have no landmarks: all their percentiles are one value.")
    landmarks = np.mean([(one - one[0]) / (one[-1] - one[0]) * _STANDARD for one in found], axis=0)
    if (np.diff(landmarks) <= 0).any():
        raise InputError("The cohort's landmarks do not rise: its images have too few values. Ask for fewer of them.")
    return {"landmarks": landmarks.tolist()}


def nyul(
    volume: Volume,
    *,
    landmarks: Sequence[float],
    percentiles: Sequence[float] = _DECILES,
    within: Within = "body",
) -> Restored:
    """Return a volume on the standard scale of a cohort: its percentiles laid on the cohort's, straight lines between.

    Args:
        volume: Of one channel, in no unit.
        landmarks: Of the cohort: see fit_nyul.
        percentiles: That the landmarks stand for.
        within: Where they are taken, as at fitting.

    Raises:
        InputError: Colour, HU or SUV, or an image without two different percentiles.
        RecipeError: As many landmarks as percentiles are wanted, and they rise.

    Source: Nyúl, Udupa and Zhang 2000, New variants of a method of MRI scale standardization. Beyond the ends the line
        from end to end goes on, since an end's own line is steep where its percentile is.
    """
    _require_rising(percentiles)
    if len(landmarks) != len(percentiles) or (np.diff(landmarks) <= 0).any():
        raise RecipeError(f"{len(percentiles)} landmarks that rise are wanted; here are {len(landmarks)}.")
    found = _percentiles(volume, percentiles, within=within, step="nyul")
    return _laid(volume, found, np.asarray(landmarks, dtype=np.float64), step="nyul")


def fit_match(volumes: Iterable[Volume], *, within: Within = "body") -> dict[str, list[float]]:
    """Return the mean of a cohort's quantiles, as `match` takes them.

    Args:
        volumes: Of the training side only, of one channel and kind; read once, one at a time.
        within: Where they are taken.

    Raises:
        InputError: No volume, or one in HU, SUV or colour.
    """
    levels = np.linspace(0, 100, _QUANTILES)
    found = [_percentiles(volume, levels, within=within, step="match") for volume in volumes]
    if not found:
        raise InputError("There is no volume to learn a histogram from.")
    return {"reference": np.mean(found, axis=0).tolist()}


def match(volume: Volume, *, reference: Sequence[float], within: Within = "body") -> Restored:
    """Return a volume with the histogram of a cohort.

    Args:
        volume: Of one channel, in no unit.
        reference: Quantiles at equal distances from 0 to 1, of one image or of a cohort: see fit_match.
        within: Where they are taken, as at fitting.

    Raises:
        InputError: Colour, HU or SUV, or a constant image.
        RecipeError: Fewer than two quantiles, or some that fall.

    Source: Gonzalez and Woods, Digital image processing, histogram specification; the mean of quantiles is the
        barycentre of histograms in transport distance (Agueh and Carlier 2011).
    """
    wanted = np.asarray(reference, dtype=np.float64)
    if len(wanted) < 2 or (np.diff(wanted) < 0).any() or wanted[0] == wanted[-1]:
        raise RecipeError("A reference is two quantiles or more that rise.")
    found = _percentiles(volume, np.linspace(0, 100, len(wanted)), within=within, step="match")
    return _laid(volume, found, wanted, step="match")


def _require_rising(percentiles: Sequence[float]) -> None:
    steps = np.diff(percentiles)
    if len(percentiles) < 2 or (steps <= 0).any() or percentiles[0] < 0 or percentiles[-1] > 100:
        raise RecipeError(f"Percentiles rise from 0 to 100, two or more; these are {list(percentiles)}.")


def _percentiles(volume: Volume, levels: Sequence[float] | Doubles, *, within: Within, step: str) -> Doubles:
    if volume.unit != "1":
        raise InputError(f"{volume.unit} mean the same on every scanner: leave the step {step!r} out.")
    require_grey(volume, step=step)
    span_of(volume, step=step)
    return np.asarray(np.percentile(measured(volume, within=within), levels), dtype=np.float64)


def _laid(volume: Volume, found: Doubles, wanted: Doubles, *, step: str) -> Restored:
    """Return a volume whose values `found` have become `wanted`."""
    if found[0] == found[-1]:
        raise InputError(f"All percentiles are {found[0]:g}: the step {step!r} has nothing to lay on the cohort's.")
    gain = (wanted[-1] - wanted[0]) / (found[-1] - found[0])
    places, groups = np.unique(found, return_inverse=True)  # a value that percentiles share becomes their mean
    values = np.bincount(groups, weights=wanted) / np.bincount(groups)

    def laid(plane: npt.NDArray[Any]) -> Doubles:
        low, high = wanted[0] + (plane - found[0]) * gain, wanted[-1] + (plane - found[-1]) * gain
        inner = np.interp(plane, places, values)
        return np.asarray(np.where(plane < found[0], low, np.where(plane > found[-1], high, inner)))

    voxels = np.stack([laid(plane).astype(np.float32) for plane in volume.voxels])
    bend = (found - found[0]) / (found[-1] - found[0]) - (wanted - wanted[0]) / (wanted[-1] - wanted[0])
    said = {
        "low_before": float(found[0]),
        "high_before": float(found[-1]),
        "low_after": float(wanted[0]),
        "high_after": float(wanted[-1]),
        "bend_share": float(np.abs(bend).max()),
    }
    return Restored(volume=replace(volume, voxels=voxels), said=said)
