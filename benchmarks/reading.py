"""How long reading a 512 × 512 × 600 CT of 15 structures takes beside the network itself, and how much memory.

Usage: python benchmarks/reading.py [SPACING_MM] [OVERLAP]

SPACING_MM is the network's grid, three figures with commas; "1,0.7,0.7" is the scan's own. The network is a single
1 × 1 × 1 convolution: what is measured is everything around it (prepare, cut, blend, label, restore, count), which a
real network's time and a window's activations come on top of. Prints rows of a Markdown table.
"""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from isocenter.image import Affine, LabelTable, Volume
from isocenter.learning.inference.predict import volume_scores
from isocenter.learning.inference.prepare import prepare, restore
from isocenter.learning.inference.window import Tiling, label_volume
from isocenter.models.model import Description, Model
from isocenter.recipe import Channel, Plan, Scaling, Variation

SHAPE, SPACING, STRUCTURES = (600, 512, 512), (1.0, 0.7, 0.7), 15


def main() -> None:
    """Read a made-up scan and print a row for each stage."""
    spacing = tuple(float(step) for step in sys.argv[1].split(",")) if len(sys.argv) > 1 else (1.5, 1.5, 1.5)
    overlap = float(sys.argv[2]) if len(sys.argv) > 2 else 0.25
    model, volume = described((spacing[0], spacing[1], spacing[2]), overlap), made_up_scan()
    classes = len(model.table) + 1
    print(f"| grid {spacing} mm, overlap {overlap}, {torch.get_num_threads()} threads | s | peak GB |\n|---|---:|---:|")
    with row("prepare"):
        prepared = prepare({"ct": volume}, plan=model.plan)
    network = torch.nn.Conv3d(1, classes, 1).eval()
    with row("windows"):
        label_volume(network, prepared.image, tiling=Tiling.of(model.plan), classes=classes)
    with row("restore"):
        mask = restore(boxes(prepared.shape), prepared, onto=volume, table=model.table)
    with row("volumes"):
        volume_scores(mask, model)
    whole = 4 * classes * np.prod(prepared.shape) / 1e9
    print(f"| classes × volume in float32, which is not held | | {whole:.1f} |")


@contextmanager
def row(stage: str) -> Iterator[None]:
    """Print a stage's seconds and the peak of the process's memory so far."""
    start = time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"| {stage} | {time.perf_counter() - start:.1f} | {peak:.2f} |", flush=True)


def made_up_scan() -> Volume:
    """Return int16 voxels (0.3 GB) of slanted stripes."""
    plane = np.add.outer(np.arange(SHAPE[1]), np.arange(SHAPE[2]))
    voxels = np.empty(SHAPE, dtype=np.int16)
    for place, target in enumerate(voxels):
        target[:] = (plane + place) % 1000 - 500
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=SPACING)
    return Volume(voxels=voxels, affine=affine, unit="HU", modality="CT")


def boxes(shape: tuple[int, int, int]) -> np.ndarray:
    """Return a box for each structure along the diagonal."""
    labels = np.zeros(shape, dtype=np.uint8)
    for place in range(STRUCTURES):
        labels[tuple(slice(int(n * (0.1 + 0.05 * place)), int(n * (0.18 + 0.05 * place))) for n in shape)] = place + 1
    return labels


def described(spacing: tuple[float, float, float], overlap: float) -> Model:
    """Return a model that has a plan and a table, and no weights."""
    scaling = Scaling(kind="window", low=-500.0, high=500.0, scale=300.0)
    plan = Plan(
        channels=(Channel(role="ct", scaling=scaling, modality="CT", unit="HU"),),
        orientation="SPL", spacing_mm=spacing, network="unet", width=8, depth=3, patch=(64, 128, 128), batch=1,
        steps=1, minutes=0.0, rate=1e-3, weight_decay=0.0, average=0.0, precision="bf16", foreground=0.5,
        variation=Variation(), overlap=overlap, flips=(), fold=None, seed=0, recipe="", dataset="",
    )  # fmt: skip
    table = LabelTable.of(*(f"structure {place}" for place in range(STRUCTURES)))
    return Model(folder=Path(), id="", description=Description(plan=plan, table=table, dataset=""), files={})


if __name__ == "__main__":
    main()
