"""Measure 3 of de-identification: is a face found again by its surface, and is any brain lost?

usage: python benchmarks/defacing.py [--people 40] [--out FILE]

Heads are drawn (isocenter.testing.phantom.head): each of another size, with another face. Each is scanned twice, on
other grids, in another modality, with other noise, lying up to 5 mm elsewhere and turned up to 8 degrees. The first
scan stands for what an attacker has; the second is released without its face. The attacker lays the skin of the first
scan's face on the skin of every released head, moves it until it fits best (iterative closest points), and takes the
nearest. Said are: how often that is the right one (top 1 of all), before and after the face was removed, with exact
intervals; how much of the face's skin lies within 2 mm of skin that was released; and how many voxels of brain, and
of all else outside of the region, were changed.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import KDTree
from scipy.stats import beta

from isocenter.image import Mask, Volume
from isocenter.processing.faces.head import tissue_in
from isocenter.processing.faces.region import FaceRegion, find_face
from isocenter.testing.phantom import centred_grid, head

FIRST, SECOND = ((58, 86, 66), (4.0, 3.0, 3.0)), ((92, 104, 80), (2.5, 2.5, 2.5))
AXES = np.eye(3)[:, ::-1]
NEAR_MM, ROUNDS = 2.0, 12
_ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Draw heads, release them, attack, and print what came of it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--people", type=int, default=40)
    asked.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "out" / "defacing.json")
    told = asked.parse_args()
    known, whole, faceless, lost, seconds, near = [], [], [], np.zeros(2, dtype=int), [], []
    for person in range(told.people):
        first, _ = scan(person, *FIRST, modality="CT", again=0)
        region = find_face(first)
        front = skin(first)
        known.append(front[region.covers(front)])
        second, mask = scan(person, *SECOND, modality="MR", again=1)
        began = time.perf_counter()
        region = find_face(second)
        gone = covered(region, second)
        seconds.append(time.perf_counter() - began)
        brain = mask.labels == next(label.value for label in mask.table if label.name == "brain")
        released = Volume(voxels=np.where(gone, 0, second.voxels), affine=second.affine, modality="MR")
        lost += [(gone & brain).sum(), ((released.voxels != second.voxels) & ~gone).sum()]
        whole.append(skin(second))
        faceless.append(skin(released))
        own = whole[-1][region.covers(whole[-1])]
        near.append(float(np.mean(KDTree(faceless[-1]).query(own)[0] <= NEAR_MM)))
        if sys.stderr.isatty():
            print(f"\r{person + 1} of {told.people} heads", end="", file=sys.stderr)
    found = {
        "people": told.people,
        "top1_before": matched(known, whole), "top1_after": matched(known, faceless),
        "skin_left_mean": float(np.mean(near)), "skin_left_most": float(np.max(near)),
        "brain_voxels_changed": int(lost[0]), "other_voxels_changed": int(lost[1]),
        "seconds_median": float(np.median(seconds)),
        "machine": f"{torch.cpu.get_capabilities().get('cpu_name', platform.machine())}, {os.cpu_count()} cores",
    }  # fmt: skip
    told.out.parent.mkdir(parents=True, exist_ok=True)
    told.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    for name in ("top1_before", "top1_after"):
        low, high = exact(found[name], told.people)
        print(f"{name}: {found[name]} of {told.people} ({found[name] / told.people:.3f} [{low:.3f}, {high:.3f}])")
    print(json.dumps({key: value for key, value in found.items() if not key.startswith("top1")}, indent=1))


def scan(
    person: int, shape: tuple[int, ...], spacing: tuple[float, ...], *, modality: str, again: int
) -> tuple[Volume, Mask]:
    """Return a person's head as a scanner stores it, a little moved and turned, and where its parts truly are."""
    rng = np.random.default_rng([person, again])
    pitch, yaw = np.radians(rng.uniform(-8, 8, 2))
    turn = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    turn @= np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    lying = centred_grid(turn @ AXES, shape=shape, spacing_mm=spacing, centre=(*rng.uniform(-5, 5, 2), -15))
    volume, mask = head(np.random.default_rng([person, 99])).sample(lying, shape, modality=modality, rng=rng)
    upright = centred_grid(AXES, shape=shape, spacing_mm=spacing)  # the scanner's axes are those of its grid
    return Volume(voxels=volume.voxels, affine=upright, modality=modality, unit=volume.unit), mask


def covered(region: FaceRegion, volume: Volume) -> np.ndarray:
    """Return which voxels lie where the face is."""
    return region.covers(volume.affine.to_world(np.stack(np.indices(volume.shape), axis=-1)))


def skin(volume: Volume) -> np.ndarray:
    """Return the places in mm of tissue beside air."""
    tissue = tissue_in(volume)
    inner = tissue.copy()
    for axis in range(3):
        for step in (1, -1):
            inner &= np.roll(tissue, step, axis)
    return volume.affine.to_world(np.argwhere(tissue & ~inner))


def matched(known: list[np.ndarray], heads: list[np.ndarray]) -> int:
    """Return how many known faces lie nearest to the head that they are of."""
    trees = [KDTree(one) for one in heads]
    nearest = [int(np.argmin([fitted(face, tree) for tree in trees])) for face in known]
    return sum(place == person for person, place in enumerate(nearest))


def fitted(face: np.ndarray, tree: KDTree) -> float:
    """Return the mean distance of a face's skin from a head's, once it was moved to fit as well as it can."""
    points = face[:: max(1, len(face) // 1500)]
    for _ in range(ROUNDS):
        far, place = tree.query(points)
        near = far <= np.quantile(far, 0.9)  # the tenth that fits worst does not pull
        here, there = points[near], tree.data[place[near]]
        u, _, vt = np.linalg.svd((here - here.mean(axis=0)).T @ (there - there.mean(axis=0)))
        flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
        turn = vt.T @ flip @ u.T
        points = (points - here.mean(axis=0)) @ turn.T + there.mean(axis=0)
    return float(tree.query(points)[0].mean())


def exact(count: int, of: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share (Clopper and Pearson)."""
    low = 0.0 if count == 0 else float(beta.ppf(0.025, count, of - count + 1))
    return low, 1.0 if count == of else float(beta.ppf(0.975, count + 1, of - count))


if __name__ == "__main__":
    main()
