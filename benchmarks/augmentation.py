"""Measure 3: a batch of 4 × 96³ images and labels varied: affine, elastic, gamma, noise, blur, each every time.

usage: python benchmarks/augmentation.py --peers PYTHON [--threads 2] [--rounds 12]

Each library runs in a process of its own, turn by turn, so that whatever else the machine does strikes all alike. The
peers (monai, torchio, batchgeneratorsv2) live in an environment of their own, whose interpreter is PYTHON. A peer that
takes one image at a time is given four; its own ranges are set to ours as nearly as it lets them be.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EDGE, MEMBERS = 96, 4
PEERS = ("monai", "torchio", "batchgeneratorsv2")


def main() -> None:
    """Time every library in turns and print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--peers", type=Path, help="the interpreter of the peers' environment")
    asked.add_argument("--threads", type=int, default=2)
    asked.add_argument("--rounds", type=int, default=12, help="timed batches of each process")
    asked.add_argument("--turns", type=int, default=3, help="processes of each library")
    asked.add_argument("--part", choices=("isocenter", *PEERS), help="time one library here and now")
    told = asked.parse_args()
    if told.part:
        print(json.dumps(timed(WAYS[told.part](), rounds=told.rounds, threads=told.threads)))
        return
    libraries = {"isocenter": sys.executable} | (dict.fromkeys(PEERS, str(told.peers)) if told.peers else {})
    seconds: dict[str, list[float]] = {name: [] for name in libraries}
    for _ in range(told.turns):
        for name, python in libraries.items():
            command = [python, __file__, "--part", name, "--rounds", str(told.rounds), "--threads", str(told.threads)]
            environment = os.environ | {"OMP_NUM_THREADS": str(told.threads)}
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            seconds[name] += json.loads(done.stdout.splitlines()[-1])
    print(table(seconds, threads=told.threads))


def table(seconds: dict[str, list[float]], *, threads: int) -> str:
    """Return the figures as Markdown."""
    ours = statistics.median(seconds["isocenter"])
    rows = ["| library | min s | median s | max s | against ours |", "|---|---|---|---|---|"]
    rows += [
        f"| {name} | {min(taken):.3f} | {statistics.median(taken):.3f} | {max(taken):.3f} | "
        f"{statistics.median(taken) / ours:.1f} × |"
        for name, taken in seconds.items()
    ]
    about = (
        f"A batch of {MEMBERS} × {EDGE}³ image and label, {threads} threads, {platform.processor() or 'this machine'}"
    )
    return "\n".join([*rows, "", about + f"; {len(seconds['isocenter'])} batches each."])


def timed(vary: Callable[[], Any], *, rounds: int, threads: int) -> list[float]:
    """Return the seconds of each batch, after two that warm up."""
    import torch

    torch.set_num_threads(threads)
    taken = []
    for _ in range(rounds + 2):
        began = time.perf_counter()
        vary()
        taken.append(time.perf_counter() - began)
    return taken[2:]


def volumes() -> tuple[Any, Any]:
    """Return images (4, 1, 96, 96, 96) of a soft ball in noise, and its labels (4, 96, 96, 96)."""
    import torch

    rng = torch.Generator().manual_seed(0)
    axes = [torch.arange(EDGE) - EDGE / 2] * 3
    s, r, c = torch.meshgrid(*axes, indexing="ij")
    ball = (s**2 + r**2 + c**2 < 900).to(torch.int16)
    images = torch.randn((MEMBERS, 1, EDGE, EDGE, EDGE), generator=rng) * 0.2 + ball
    return images.contiguous(), ball.expand(MEMBERS, -1, -1, -1).contiguous()


def isocenter() -> Callable[[], Any]:
    """Return our augmentation of the batch."""
    import torch

    from isocenter.processing.transforms import vary
    from isocenter.recipe import Variation

    images, labels = volumes()
    ranges = Variation(
        rotation_degrees=(15.0, 15.0, 15.0), scale=0.2, elastic_mm=4.0, gamma=0.3, noise=0.1, blur=1.0, chance=1.0
    )
    rng = torch.Generator().manual_seed(0)
    return lambda: vary(images, labels, variation=ranges, spacing_mm=(1.0, 1.0, 1.0), rng=rng)


def monai() -> Callable[[], Any]:
    """Return MONAI's: affine and elastic in one resampling (Rand3DElasticd), then the intensities."""
    from monai import transforms

    keys = ["image", "label"]
    chain = transforms.Compose(
        [
            transforms.Rand3DElasticd(
                keys=keys, prob=1.0, sigma_range=(5, 7), magnitude_range=(50, 100), rotate_range=(0.26, 0.26, 0.26),
                scale_range=(0.2, 0.2, 0.2), mode=("bilinear", "nearest"), padding_mode="border",
            ),
            transforms.RandAdjustContrastd(keys=["image"], prob=1.0, gamma=(0.77, 1.3)),
            transforms.RandGaussianNoised(keys=["image"], prob=1.0, std=0.1),
            transforms.RandGaussianSmoothd(
                keys=["image"], prob=1.0, sigma_x=(0.25, 1.0), sigma_y=(0.25, 1.0), sigma_z=(0.25, 1.0)
            ),
        ]
    )  # fmt: skip
    images, labels = volumes()
    members = [{"image": image, "label": label[None].float()} for image, label in zip(images, labels, strict=True)]
    return lambda: [chain(dict(member)) for member in members]


def torchio() -> Callable[[], Any]:
    """Return TorchIO's: affine, elastic, gamma, noise and blur one after the other."""
    import torchio as tio

    chain = tio.Compose(
        [
            tio.RandomAffine(scales=0.2, degrees=15),
            tio.RandomElasticDeformation(num_control_points=7, max_displacement=4),
            tio.RandomGamma(log_gamma=0.26),
            tio.RandomNoise(std=(0, 0.1)),
            tio.RandomBlur(std=(0.25, 1.0)),
        ]
    )
    images, labels = volumes()
    subjects = [
        tio.Subject(image=tio.ScalarImage(tensor=image), label=tio.LabelMap(tensor=label[None]))
        for image, label in zip(images, labels, strict=True)
    ]
    return lambda: [chain(subject) for subject in subjects]


def batchgeneratorsv2() -> Callable[[], Any]:
    """Return batchgeneratorsv2's, as nnU-Net uses it: one spatial transform, then the intensities."""
    from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
    from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
    from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
    from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
    from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms

    chain = ComposeTransforms(
        [
            SpatialTransform(
                (EDGE, EDGE, EDGE), patch_center_dist_from_border=0, random_crop=False, p_elastic_deform=1.0,
                p_rotation=1.0, rotation=(-0.26, 0.26), p_scaling=1.0, scaling=(0.8, 1.2),
                p_synchronize_scaling_across_axes=1.0,
            ),
            GammaTransform(
                gamma=(0.77, 1.3), p_invert_image=0.0, synchronize_channels=True, p_per_channel=1.0, p_retain_stats=1.0
            ),
            GaussianNoiseTransform(noise_variance=(0, 0.01), p_per_channel=1.0, synchronize_channels=True),
            GaussianBlurTransform(blur_sigma=(0.25, 1.0), synchronize_channels=True, p_per_channel=1.0),
        ]
    )  # fmt: skip
    images, labels = volumes()
    pairs = [(image, label[None]) for image, label in zip(images, labels, strict=True)]
    return lambda: [chain(image=image.clone(), segmentation=label) for image, label in pairs]


WAYS = {"isocenter": isocenter, "monai": monai, "torchio": torchio, "batchgeneratorsv2": batchgeneratorsv2}

if __name__ == "__main__":
    main()
