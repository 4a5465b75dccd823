"""Measure 2: reading 512 × 512 × 300 voxels with a 3-D U-Net of 5 million weights and 15 classes, beside MONAI.

usage: python benchmarks/inference.py [--size 300 512 512] [--steps 9000] [--parts PART …] [--out FOLDER]

The network is our U-Net (width 16, four halvings), trained here by our own trainer on small phantom bodies of 14
structures, once. Each structure is lighter or darker than the trunk, and plain or with fine or wide stripes along one
axis; a network that normalises each window by itself cannot tell structures by their density alone. A large body is
then read by MONAI's sliding_window_inference with the very same torch module, in float32 and under bf16 autocast, and
by us: with the same windows (96³, overlap 0.5) in each runtime, and with windows and runtime of our own choice, the
trial that chooses counted ("cold") and with the choice remembered ("warm").

Each part is a process of its own; memory is the highest that the process took beyond what it held with the image, the
network and every module loaded. What a part found is kept in OUT/SIZE; a part that is there is not measured again.
A line of progress goes to OUT/SIZE/log.txt. The masks are compared with that of MONAI in float32, and with our own
float32 reading of the same windows.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from isocenter import pipeline
from isocenter.image import Affine, Mask, Volume, write_nifti
from isocenter.learning.inference.pace import Pace
from isocenter.learning.inference.prepare import prepare
from isocenter.learning.inference.weights import load_network
from isocenter.learning.inference.window import Tiling, label_volume
from isocenter.metrics import dice
from isocenter.models.model import Model, read_model
from isocenter.testing.phantom import Body, Ellipsoid

PATCH, OVERLAP, CLASSES = (96, 96, 96), 0.5, 15
LEARNT = (64, 64, 64)  # patches to learn from: three times the steps that 96³ would leave time for
SPACING = (1.0, 0.8, 0.8)
CASES, CASE_SHAPE = 28, (120, 160, 160)
LEAST, LARGE = 2.2, 3.0  # times the phantom of isocenter.testing; the larger a trunk of 204 × 156 × 228 mm
LIGHT_HU, DARK_HU, STRIPE_HU = 400, -350, 250.0
PLAIN_MM, FINE_MM, WIDE_MM = 0.0, 4.0, 10.0
LOOKS = (  # of each structure: density, stripes, the axis they run along; wide ones where there is room
    (LIGHT_HU, WIDE_MM, 0), (DARK_HU, WIDE_MM, 2), (LIGHT_HU, WIDE_MM, 1), (LIGHT_HU, WIDE_MM, 2),
    (LIGHT_HU, FINE_MM, 0), (DARK_HU, FINE_MM, 0), (DARK_HU, FINE_MM, 1), (LIGHT_HU, FINE_MM, 1),
    (DARK_HU, FINE_MM, 2), (LIGHT_HU, PLAIN_MM, 0), (DARK_HU, WIDE_MM, 0), (DARK_HU, WIDE_MM, 1),
    (DARK_HU, PLAIN_MM, 0), (LIGHT_HU, FINE_MM, 2),
)  # fmt: skip
PARTS = ("monai-fp32", "monai-bf16", "same-torch", "same-torch-bf16", "same-openvino", "own-cold", "own-warm")
_AXIAL = np.eye(3)[:, ::-1]
_ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Train where nobody has, measure each part that is missing, and print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--size", type=int, nargs=3, default=[300, 512, 512], help="slices, rows, columns")
    asked.add_argument("--steps", type=int, default=9000, help="of training, where there is no network yet")
    asked.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    asked.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "out" / "inference")
    asked.add_argument("--part", choices=PARTS, help="measure here and now, one part")
    told = asked.parse_args()
    folder = told.out / "x".join(map(str, told.size))
    folder.mkdir(parents=True, exist_ok=True)
    if told.part:
        measure(told.part, folder, model=read_model(told.out / "model"))
        return
    if not (told.out / "model").is_dir():
        train(told.out, steps=told.steps)
    if not (folder / "image.npy").is_file():
        sample(folder, size=tuple(told.size), model=read_model(told.out / "model"))
    for part in told.parts:
        if not (folder / f"{part}.json").is_file():
            size = [str(n) for n in told.size]
            command = [sys.executable, __file__, "--part", part, "--out", str(told.out), "--size", *size]
            if subprocess.run(command, check=False).returncode:
                print(f"{part} was not measured", file=sys.stderr)
    table(folder)


def body() -> Body:
    """Return a trunk with 14 organs, none of them mirrored."""
    places = (
        ((-14, -4, 5), (13, 11, 9)), ((19, 5, 9), (6, 5, 8)), ((5, -7, 24), (8, 7, 7)), ((3, -9, -24), (9, 6, 7)),
        ((0, 18, -4), (5, 5, 24)), ((-13, 10, -8), (4, 4, 7)), ((12, 11, -7), (4, 5, 6)), ((10, -9, 5), (7, 5, 6)),
        ((2, 3, -2), (8, 3, 2)), ((-1, 9, 8), (2, 2, 20)), ((-17, 4, 22), (7, 8, 9)), ((17, 6, 26), (6, 7, 8)),
        ((-12, -12, -12), (3, 4, 3)), ((14, -4, -16), (6, 6, 5)),
    )  # fmt: skip
    organs = tuple(
        Ellipsoid(name=f"structure {n}", centre=centre, radii=radii, hu=LOOKS[n - 1][0], mr=0)
        for n, (centre, radii) in enumerate(places, 1)
    )
    return replace(Body(), organs=organs)


def scaled(whole: Body, factor: float) -> Body:
    """Return a body so many times as large."""

    def grown(part: Ellipsoid) -> Ellipsoid:
        centre, radii = (tuple(factor * mm for mm in three) for three in (part.centre, part.radii))
        return replace(part, centre=(centre[0], centre[1], centre[2]), radii=(radii[0], radii[1], radii[2]))

    return replace(whole, trunk=grown(whole.trunk), organs=tuple(map(grown, whole.organs)))


def striped(volume: Volume, mask: Mask) -> tuple[Volume, Mask]:
    """Return the body with stripes in its organs, each along one axis of the grid."""
    voxels = volume.voxels.astype(np.float32)
    for value, (_, wave, axis) in enumerate(LOOKS, start=1):
        if wave:
            along = np.sin(2 * np.pi / wave * SPACING[axis] * np.arange(voxels.shape[axis], dtype=np.float32))
            stripes = np.broadcast_to(np.expand_dims(along, [n for n in range(3) if n != axis]), voxels.shape)
            inside = mask.labels == value
            voxels[inside] += STRIPE_HU * stripes[inside]
    return replace(volume, voxels=np.rint(voxels).astype(np.int16)), mask


def grid(shape: tuple[int, ...], *, middle: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Affine:
    """Return an axial grid around a place in mm."""
    corner = np.asarray(middle) - _AXIAL @ ((np.asarray(shape) - 1) / 2 * np.asarray(SPACING))
    return Affine.from_parts(origin=corner.tolist(), directions=_AXIAL, spacing=SPACING)


def train(out: Path, *, steps: int) -> None:
    """Learn from small bodies, and from parts of large ones, with our own trainer; leave OUT/model."""
    rng = np.random.default_rng(0)
    data, store = out / "phantoms", out / "store"
    for side in ("imagesTr", "labelsTr"):
        (data / side).mkdir(parents=True, exist_ok=True)
    cases = []
    for number in range(CASES):
        patient = scaled(body().varied(rng), float(np.geomspace(LEAST, LARGE, CASES)[number]))
        middle = patient.organs[number % len(patient.organs)].centre
        volume, mask = striped(*patient.sample(grid(CASE_SHAPE, middle=middle), CASE_SHAPE, rng=rng))
        name = f"phantom_{number:02d}.nii.gz"
        write_nifti(volume, data / "imagesTr" / name)
        write_nifti(mask, data / "labelsTr" / name)
        cases.append({"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"})
    labels = {"0": "background"} | {str(label.value): label.name for label in body().table}
    described = {"name": "phantoms", "modality": {"0": "CT"}, "labels": labels, "training": cases, "test": []}
    (data / "dataset.json").write_text(json.dumps(described), encoding="utf-8")
    pipeline.init(store)
    pipeline.ingest(data, dataset="phantoms", as_="msd", store=store)
    settings = (
        f"training.steps={steps}", f"training.patch={list(LEARNT)}", "training.batch=1", "models.network=unet",
        "models.width=16", "models.depth=4", f"inference.spacing_mm={list(SPACING)}", "inference.intensity=window",
        "inference.window_hu=[-800, 800]",
        "transforms.strength=0.3",  # the large body is built like those to learn from
    )  # fmt: skip
    told = [time.monotonic()]

    def watch(stage: str, done: float, total: float, note: str = "") -> None:
        if time.monotonic() - told[0] > 15:
            told[0] = time.monotonic()
            print(f"{stage} {done:.0f}/{total:.0f} {note}", flush=True)

    trained = pipeline.train(data="phantoms", set_=settings, store=store, progress=watch)
    print({score.label: round(score.value, 4) for score in trained.scores if score.name == "dice"})
    (store / "models" / trained.model).rename(out / "model")


def sample(folder: Path, *, size: tuple[int, ...], model: Model) -> None:
    """Write the large body as the network is shown it, and where its organs truly are."""
    patient = scaled(body().varied(np.random.default_rng(77)), LARGE)
    volume, mask = striped(*patient.sample(grid(size), size, rng=np.random.default_rng(78)))
    role = model.plan.roles[0]
    np.save(folder / "image.npy", prepare({role: volume}, plan=model.plan).image.numpy())
    turned: Mask = mask.oriented(model.plan.orientation)
    np.save(folder / "truth.npy", turned.labels)
    described: Volume = volume.oriented(model.plan.orientation)
    (folder / "sample.json").write_text(json.dumps({"shape": list(described.shape)}), encoding="utf-8")


def measure(part: str, folder: Path, *, model: Model) -> None:
    """Read the large body in one way; leave PART.json and PART.npy."""
    network = load_network(model, outputs=CLASSES)
    image = torch.from_numpy(np.load(folder / "image.npy"))
    log = Log(folder / "log.txt", part)
    way, peer = part.split("-", 1)
    ready: Callable[[], np.ndarray]
    facts: dict[str, Any] = {}
    if way == "monai":
        ready = monai(network, image, is_half=peer == "bf16", log=log)
    else:
        ready = ours(network, image, ask=peer if way == "same" else "auto", warm=peer == "warm", folder=folder,
                     facts=facts, log=log)  # fmt: skip
    if not reset_peak():
        facts["memory"] = "counts loading too: this system does not forget a peak"
    before, began, cpu = resident("VmRSS"), time.perf_counter(), time.process_time()
    labels = ready()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resident("VmHWM") - before
    np.save(folder / f"{part}.npy", labels)
    load = os.getloadavg()[0]
    found = {"part": part, "seconds": seconds, "cpu_seconds": cpu, "peak_bytes": peak, "load": load, **facts}
    (folder / f"{part}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    log.say(f"done in {seconds:.1f} s, {peak / 1e9:.2f} GB above the input")


def monai(network: nn.Module, image: Tensor, *, is_half: bool, log: "Log") -> Callable[[], np.ndarray]:
    """Return MONAI's reading: Gaussian weights, one window at once (more are slower on a CPU), then argmax."""
    from monai.inferers import sliding_window_inference

    def counted(windows: Tensor) -> Tensor:
        log.count()
        scores: Tensor = network(windows)
        return scores

    @torch.inference_mode()
    def read() -> np.ndarray:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_half):
            scores = sliding_window_inference(image[None], PATCH, 1, counted, overlap=OVERLAP, mode="gaussian")
        return scores.argmax(dim=1)[0].to(torch.uint8).numpy()

    return read


def ours(
    network: nn.Module, image: Tensor, *, ask: str, warm: bool, folder: Path, facts: dict[str, Any], log: "Log"
) -> Callable[[], np.ndarray]:
    """Return our reading, in a runtime by name or as we choose; choosing and converting are part of it."""
    tiling = Tiling(patch=PATCH, overlap=OVERLAP)
    memory = folder / "choice.json"
    if ask == "auto" and not warm:
        memory.unlink(missing_ok=True)
    pace = Pace(network, tiling=tiling, classes=CLASSES, ask=ask, memory=memory if ask == "auto" else None)

    def read() -> np.ndarray:
        choice, runtime, chosen = pace.of(image)
        facts["choice"] = choice.to_document()
        log.say(f"{choice.runtime}, overlap {choice.overlap}, {choice.batch} at once")
        return label_volume(runtime, image, tiling=chosen, classes=CLASSES, progress=lambda _done, _of: log.count())

    return read


def table(folder: Path) -> None:
    """Print what was measured, against MONAI in float32 and against our own float32 with the same windows."""
    found = {path.stem: json.loads(path.read_bytes()) for path in folder.glob("*-*.json")}
    masks = {name: np.load(folder / f"{name}.npy") for name in found}
    truth = np.load(folder / "truth.npy")
    cpu = torch.cpu.get_capabilities().get("cpu_name", platform.machine())
    print(f"\n{cpu}, {torch.get_num_threads()} threads, torch {torch.__version__}, {folder.name} voxels\n")
    heads = ("s", "CPU s", "times", "GB above the input", "Dice to MONAI fp32", "Dice to ours fp32", "Dice to truth")
    print(f"| reading | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
    for part in (name for name in PARTS if name in found):
        one, base = found[part], found.get("monai-fp32")
        name = part + ("" if "choice" not in one else ": {runtime}, overlap {overlap}".format(**one["choice"]))
        near = [dices(masks[part], masks[peer]) if peer in masks else "" for peer in ("monai-fp32", "same-torch")]
        cells = (
            f"{one['seconds']:.1f}", f"{one['cpu_seconds']:.1f}",
            f"{base['seconds'] / one['seconds']:.1f}" if base else "", f"{one['peak_bytes'] / 1e9:.2f}", *near,
            dices(masks[part], truth),
        )  # fmt: skip
        print(f"| {name} | {' | '.join(cells)} |")


def dices(one: np.ndarray, other: np.ndarray) -> str:
    """Return the mean and the least Dice over the structures that either holds."""
    pairs = ((one == value, other == value) for value in range(1, CLASSES))
    found = [dice(a, b) for a, b in pairs if a.any() or b.any()]
    return f"{np.mean(found):.5f} (least {min(found):.5f})" if found else "nothing found"


def resident(field: str) -> int:
    """Return a figure of this process's memory in bytes: VmRSS now, VmHWM at its highest."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def reset_peak() -> bool:
    """Forget the highest memory so far; return whether the system does so."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


class Log:
    """Lines for whoever waits."""

    def __init__(self, path: Path, part: str) -> None:
        self._path = path
        self._part = part
        self._done = 0
        self._began = time.monotonic()

    def count(self) -> None:
        """One window more."""
        self._done += 1
        if self._done % 20 == 0:
            self.say(f"{self._done} windows")

    def say(self, text: str) -> None:
        """Write a line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {self._part} {time.monotonic() - self._began:.0f} s: {text}\n")


if __name__ == "__main__":
    main()
