"""What a consensus of simulated readers is worth, by rule; and its time and memory beside SimpleITK's STAPLE.

usage: python benchmarks/consensus.py [--slices 200]

Readers draw a sphere with a wavy border of their own: moved outwards or inwards by a bias, and to and fro by noise that
is smooth over 4 voxels.
"""

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy.ndimage import distance_transform_edt, gaussian_filter

from isocenter.image import Affine, LabelTable, Mask
from isocenter.intake.labelling import Staple, Vote, consensus_of_masks
from isocenter.metrics import bootstrap, dice

Way = Callable[[dict[str, Mask]], npt.NDArray[np.uint8]]

GRID = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3), spacing=(1, 1, 1))
TABLE = LabelTable.of("liver", "kidney", "spleen", "aorta")
RULES = {
    "vote": Vote(),
    "`box`": Staple(),
    "`whole`": Staple(region="whole"),
    "`disputed`": Staple(region="disputed"),
    "`box`, constant prior": Staple(prior="constant"),
}
# bias and noise of each reader, in voxels
READERS = {
    "five alike": [(0, 1.5)] * 5,
    "three careful, one large, one small": [(0, 1), (0, 1), (0, 1), (3, 3), (-2, 3)],
    "two careful, three large": [(0, 0.5), (0, 0.5), (2, 2.5), (2, 2.5), (2, 2.5)],
    "one careful, two large": [(0, 1), (3, 2), (3, 2)],
}
SPHERES = 12


def mask(labels: npt.NDArray[np.uint8]) -> Mask:
    """Return labels as a mask."""
    return Mask(labels=labels, affine=GRID, table=TABLE)


def waves(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return smooth noise of a standard deviation of 1."""
    found = gaussian_filter(rng.normal(size=shape), 4)
    return np.asarray(found / found.std())


def drawn(readers: list[tuple[float, float]], seed: int) -> tuple[npt.NDArray[np.bool_], dict[str, Mask]]:
    """Return a sphere with a wavy border, and each reader's drawing of it."""
    rng = np.random.default_rng(seed)
    away = np.linalg.norm(np.indices((40, 64, 64)) - np.reshape((20, 32, 32), (3, 1, 1, 1)), axis=0)
    truth = away + waves(rng, away.shape) < 13
    outside = distance_transform_edt(~truth) - distance_transform_edt(truth)
    return truth, {
        f"r{place}": mask((outside + noise * waves(rng, away.shape) < bias).astype(np.uint8))
        for place, (bias, noise) in enumerate(readers)
    }


def accuracies(readers: list[tuple[float, float]]) -> Iterator[str]:
    """Yield the best reader's Dice with the truth, and that of each rule, as means over spheres."""
    found: dict[str, list[float]] = {name: [] for name in ("best reader", *RULES)}
    for seed in range(SPHERES):
        truth, masks = drawn(readers, seed)
        found["best reader"].append(max(dice(one.labels == 1, truth) for one in masks.values()))
        for name, rule in RULES.items():
            found[name].append(dice(consensus_of_masks(masks, rule).mask.labels == 1, truth))
    for name, values in found.items():
        patients = {str(seed): [value] for seed, value in enumerate(values)}
        score = bootstrap(patients, name="dice", label=name)
        yield f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


def large(slices: int, *, labels: int) -> dict[str, Mask]:
    """Return three readers' discs on 512 by 512 pixels, a little apart."""
    rows, columns = np.indices((512, 512))
    masks = {}
    for reader in range(3):
        found = np.zeros((slices, 512, 512), dtype=np.uint8)
        for place, plane in enumerate(found):
            for label in range(labels):
                top, left = 150 + 200 * (label // 2) + reader, 150 + 200 * (label % 2)
                radius = 70 + 3 * np.sin(place / 20 + 2 * reader + label)
                plane[(rows - top) ** 2 + (columns - left) ** 2 < radius**2] = label + 1
        masks[f"r{reader}"] = mask(found)
    return masks


def ours(masks: dict[str, Mask]) -> npt.NDArray[np.uint8]:
    """Return the consensus by our STAPLE, as SimpleITK's takes it."""
    return consensus_of_masks(masks, Staple(prior="constant", region="whole")).mask.labels


def theirs(masks: dict[str, Mask]) -> npt.NDArray[np.uint8]:
    """Return the consensus by SimpleITK's STAPLE, or by that for several labels."""
    images = [sitk.GetImageFromArray(one.labels) for one in masks.values()]
    if max(one.present[-1] for one in masks.values()) == 1:
        return (sitk.GetArrayFromImage(sitk.STAPLE(images, 1.0)) > 0.5).astype(np.uint8)
    return sitk.GetArrayFromImage(sitk.MultiLabelSTAPLE(images))


def measured(way: Way, slices: int, labels: int) -> tuple[float, float, npt.NDArray[np.uint8]]:
    """Return seconds, the MB that it took beyond the masks, and the labels."""
    masks = large(slices, labels=labels)
    held, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    made = way(masks)
    took = time.perf_counter() - began
    return took, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / 1024, made


def beside(slices: int, *, labels: int) -> str:
    """Return time and memory of our STAPLE beside SimpleITK's, each in a process of its own."""
    found = []
    for way in (ours, theirs):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            found.append(process.submit(measured, way, slices, labels).result())
    apart = np.count_nonzero(found[0][2] != found[1][2])
    cells = [f"{seconds:.1f} s | {memory:.0f} MB" for seconds, memory, _ in found]
    return f"{slices} | {labels} | {' | '.join(cells)} | {apart}"


def main() -> None:
    """Print both tables in Markdown."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--slices", type=int, default=200)
    told = asked.parse_args()
    print("| slices | labels | ours | memory | SimpleITK | memory | voxels apart |\n|---|---|---|---|---|---|---|")
    for labels in (1, 4):
        print(f"| {beside(told.slices, labels=labels)} |", flush=True)
    print(f"\n| readers | best reader | {' | '.join(RULES)} |\n|---|---|{'---|' * len(RULES)}")
    for name, readers in READERS.items():
        print(f"| {name} | {' | '.join(accuracies(readers))} |", flush=True)


if __name__ == "__main__":
    main()
