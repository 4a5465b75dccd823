"""Measure 3 of data you can trust: registration on known random transforms, and the gate on cases made to fail.

usage: python benchmarks/registration.py [--seed 2] [--share 0.1 | --count 40] [--mni FILE] [--stock]

Real volumes (MNI152 T1 of nilearn, `ibsi_sts`, `tcga_lgg_multimodal`) are turned by up to 45 degrees about their centre
and shifted by up to 60 mm, resampled on their own grid (what leaves it is lost) and given noise of 2 % of their range.
220 cases should work: within one modality, and between the modalities of one brain, aligned by those who made the data.
320 were made to fail: half a volume, a mirror image, another body part, another patient's, noise. Of MNI152
no mirror image is made: it is symmetric, so that its mirror image lies on it. Errors are mean distances over the
fixed body, in mm; of what has no true place (all but half volumes) the registration counts as off. Limits of the gate
were chosen on seed 1, with fewer of the volumes; seed 2 draws other transforms, noise and cuts.

One line a case is kept in benchmarks/out/registration/, and a case that is there is not run again. --stock runs
SimpleITK's usual recipe (Euler3D from the centres of the images, Mattes' mutual information, regular steps, three
levels) on the cases that should work instead. Times are of one processor.
"""

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from isocenter.errors import InputError
from isocenter.image import Affine, Volume, read_nifti, resample_volume
from isocenter.image.resample import sitk_image
from isocenter.processing.registration import register
from isocenter.processing.registration.level import levels_of
from isocenter.processing.registration.likeness import placed

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / "benchmarks" / "out" / "registration"
WORKS = {"same": 160, "modalities": 60}
FAILS = {"half": 60, "mirror": 80, "part": 80, "patient": 40, "noise": 60}
OFF_MM, TURN_DEG, SHIFT_MM, NOISE = 2.0, 45.0, 60.0, 0.02
KNOWN = ("same", "modalities", "half")
PATIENTS = ("STS_012", "STS_018", "STS_025", "STS_032", "STS_042")
MODALITIES = {"CT": "HU", "MR_T1": "1", "PET": "SUV"}
UNSEEN = ("STS_032", "STS_042", "t1c", "t2")  # of which the development has no case


@dataclass(frozen=True, kw_only=True)
class Case:
    """Two volumes, and where places of the first truly lie in the second: None where nowhere."""

    kind: str
    names: tuple[str, str]
    fixed: Volume
    moving: Volume
    truth: np.ndarray | None


class Shelf:
    """The volumes, read when they are asked for."""

    def __init__(self, mni: Path | None, *, seed: int) -> None:
        hidden = UNSEEN if seed == 1 else ()
        brain = DATA / "tcga_lgg_multimodal" / "TCGA-FG-6692" / "raw_bet"
        self.brains = [name for name in ("t1", "t1c", "t2", "fla") if name not in hidden]
        self.patients = [name for name in PATIENTS if name not in hidden]
        self.files = {name: (brain / f"OtherEXampleFromTCIA_{name}_bet.nii.gz", "MR", "1") for name in self.brains}
        for patient in self.patients:
            for modality, unit in MODALITIES.items():
                path = DATA / "ibsi_sts" / "nifti" / patient / f"{modality}_image.nii.gz"
                self.files[f"{patient}/{modality}"] = (path, modality[:2], unit)
        self.legs = [name for name in self.files if "/" in name]
        if mni is not None:
            self.files["MNI152"] = (mni, "MR", "1")
        self.heads = [name for name in self.files if "/" not in name]

    def read(self, name: str) -> Volume:
        """Return a volume."""
        path, modality, unit = self.files[name]
        return replace(read_nifti(path, unit=unit), modality=modality)


def cases(seed: int, shelf: Shelf) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield each case's name and what makes it."""
    for kind, count in (WORKS | FAILS).items():
        for number in range(count):
            rng = np.random.default_rng([seed, list(WORKS | FAILS).index(kind), number])
            yield f"{kind}-{number:03}", lambda kind=kind, rng=rng: made(kind, shelf, rng)


def made(kind: str, shelf: Shelf, rng: np.random.Generator) -> Case:
    """Return a case of a kind."""
    first, second = drawn(kind, shelf, rng)
    fixed, source = shelf.read(first), shelf.read(second)
    truth = transform(rng, centre(fixed))
    if kind in ("part", "patient"):  # without a place in common: centre on centre
        matrix = source.affine.matrix.copy()
        matrix[:3, 3] += centre(fixed) - centre(source)
        source = replace(source, affine=Affine(matrix=matrix))
    if kind == "mirror":
        source = replace(source, voxels=np.ascontiguousarray(np.flip(source.voxels, int(rng.integers(3)))))
    moving = chaos(source, rng) if kind == "noise" else moved(source, truth, rng)
    if kind == "half":
        fixed, moving = (halved(fixed, rng), moving) if rng.integers(2) else (fixed, halved(moving, rng))
    return Case(kind=kind, names=(first, second), fixed=fixed, moving=moving, truth=truth if kind in KNOWN else None)


def drawn(kind: str, shelf: Shelf, rng: np.random.Generator) -> tuple[str, str]:
    """Return the names of two volumes."""
    if kind == "modalities":
        first, second = rng.choice(shelf.brains, 2, replace=False)
        return str(first), str(second)
    if kind == "patient":
        modality = rng.choice(list(MODALITIES))
        first, second = rng.choice(shelf.patients, 2, replace=False)
        return f"{first}/{modality}", f"{second}/{modality}"
    if kind == "part":
        pair = str(rng.choice(shelf.heads)), str(rng.choice(shelf.legs))
        return pair if rng.integers(2) else pair[::-1]
    some = [name for name in shelf.files if not (kind == "mirror" and name == "MNI152")]
    one = str(rng.choice(some))
    return one, one


def centre(volume: Volume) -> np.ndarray:
    """Return the middle of a volume in LPS mm."""
    return volume.affine.to_world((np.asarray(volume.shape) - 1) / 2)


def transform(rng: np.random.Generator, about: np.ndarray) -> np.ndarray:
    """Return a random turn about a place, and a random shift."""
    axis, way = (one / np.linalg.norm(one) for one in rng.normal(size=(2, 3)))
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(axis * np.radians(rng.uniform(0, TURN_DEG))).as_matrix()
    matrix[:3, 3] = about - matrix[:3, :3] @ about + way * rng.uniform(0, SHIFT_MM)
    return matrix


def moved(volume: Volume, truth: np.ndarray, rng: np.random.Generator) -> Volume:
    """Return what a scanner would show of a body that lies elsewhere: on the same grid, with noise."""
    lying = Affine(matrix=np.linalg.inv(truth) @ volume.affine.matrix)
    seen = resample_volume(volume, affine=lying, shape=volume.shape).voxels
    low, high = np.percentile(volume.voxels, (1, 99))
    noise = rng.normal(0, NOISE * (high - low), seen.shape)
    return replace(volume, voxels=(seen + noise).astype(np.float32))


def halved(volume: Volume, rng: np.random.Generator) -> Volume:
    """Return one half of a volume, cut across one of its axes."""
    axis, is_upper = int(rng.integers(3)), bool(rng.integers(2))
    middle = volume.shape[axis] // 2
    cut, first = [slice(None)] * 3, [0, 0, 0]
    cut[axis] = slice(middle, None) if is_upper else slice(0, middle)
    first[axis] = middle if is_upper else 0
    voxels = np.ascontiguousarray(volume.voxels[tuple(cut)])
    return replace(volume, voxels=voxels, affine=volume.affine.shifted(first))


def chaos(volume: Volume, rng: np.random.Generator) -> Volume:
    """Return noise, fine or coarse, with the values of a volume."""
    noise = gaussian_filter(rng.normal(size=volume.shape), rng.choice((0.0, 1.5, 4.0)))
    voxels = np.empty(volume.voxels.size, dtype=np.float32)
    voxels[np.argsort(noise.ravel())] = np.sort(volume.voxels.ravel())
    return replace(volume, voxels=voxels.reshape(volume.shape))


def ours(case: Case) -> tuple[np.ndarray | None, dict]:
    """Return our transform and what the gate said; a refusal to begin counts as a refusal."""
    try:
        found = register(case.fixed, case.moving)
    except InputError as error:
        return None, {"held": False, "failed": [str(error)], "figures": {}}
    figures = {one.name: round(one.value, 4) for one in found.figures}
    said = {"held": found.held, "failed": [one.name for one in found.failed], "figures": figures}
    return found.transform.matrix, said


def stock(case: Case) -> tuple[np.ndarray | None, dict]:
    """Return what SimpleITK's usual recipe finds, in one thread."""
    fixed, moving = (sitk_image(one.voxels.astype(np.float32), one.affine) for one in (case.fixed, case.moving))
    begin = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.05, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 200, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(begin, inPlace=False)
    try:
        found = method.Execute(fixed, moving)
    except RuntimeError:
        return None, {}
    origin = np.asarray(found.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([np.asarray(found.TransformPoint(axis)) - origin for axis in np.eye(3).tolist()], axis=1)
    matrix[:3, 3] = origin
    return matrix, {}


def measured(case: Case, way: Callable[[Case], tuple[np.ndarray | None, dict]]) -> dict:
    """Return one case's row."""
    began = time.process_time()
    matrix, said = way(case)
    seconds = time.process_time() - began
    error = None
    if case.truth is not None and matrix is not None:
        level = levels_of(case.fixed)[1]
        body = level.points(4000, rng=np.random.default_rng(0), within=level.body)
        error = float(np.linalg.norm(placed(matrix, body) - placed(case.truth, body), axis=1).mean())
    return {"kind": case.kind, "of": case.names, "error_mm": error, "seconds": round(seconds, 2), **said}


def is_off(row: dict) -> bool:
    """Return whether a registration is off by more than 2 mm; what has no true place always is."""
    return row["error_mm"] is None or row["error_mm"] > OFF_MM


def table(rows: list[dict]) -> None:
    """Print what came of it, in Markdown."""
    print("| cases | of | off > 2 mm | refused of those off | refused of the others | median mm | median s |")
    print("|---|---|---|---|---|---|---|")
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in WORKS | FAILS}
    groups["all that should work"] = [row for row in rows if row["kind"] in WORKS]
    groups["all"] = rows
    for name, some in groups.items():
        if not some:
            continue
        off, on = [row for row in some if is_off(row)], [row for row in some if not is_off(row)]
        known = [row["error_mm"] for row in some if row["error_mm"] is not None]
        refused = [f"{sum(not row.get('held', True) for row in part)} of {len(part)}" for part in (off, on)]
        error = f"{np.median(known):.3f}" if known else "–"
        seconds = np.median([row["seconds"] for row in some])
        print(f"| {name} | {len(some)} | {len(off)} | {' | '.join(refused)} | {error} | {seconds:.1f} |")
    for row in rows:
        if "held" in row and row["held"] == is_off(row):
            said = "believed, though off" if row["held"] else f"refused by {', '.join(row['failed'])}"
            print(f"\n{row['case']} {row['of']}: {said}; error {row['error_mm']} mm")


def found_mni() -> Path | None:
    """Return nilearn's MNI152 T1, where nilearn is installed."""
    spec = importlib.util.find_spec("nilearn")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "datasets" / "data" / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    return path if path.is_file() else None


def main() -> None:
    """Run the cases that are not there yet, and print the table of all that are."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=2)
    asked.add_argument("--share", type=float, default=1.0, help="of every kind of case")
    asked.add_argument("--count", type=int, default=0, help="at most so many cases in this run, kinds in turn")
    asked.add_argument("--mni", type=Path, default=found_mni())
    asked.add_argument("--stock", action="store_true")
    told = asked.parse_args()
    if told.mni is None:
        print("No MNI152: pip install nilearn, or --mni FILE. Its cases fall to the other volumes.", file=sys.stderr)
    shelf = Shelf(told.mni, seed=told.seed)
    kept = OUT / f"{'stock' if told.stock else 'ours'}-seed{told.seed}{'' if told.mni else '-without-mni'}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    there = {row["case"] for row in rows}
    counts = {kind: max(1, round(count * told.share)) for kind, count in (WORKS | FAILS).items()}
    wanted = [(name, make) for name, make in cases(told.seed, shelf) if int(name[-3:]) < counts[name[:-4]]]
    wanted = [one for one in wanted if one[0] not in there and (not told.stock or one[0][:-4] in WORKS)]
    wanted.sort(key=lambda one: (int(one[0][-3:]) / counts[one[0][:-4]], one[0]))  # kinds in turn
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    for done, (name, make) in enumerate(wanted[: told.count or None], 1):
        row = {"case": name, **measured(make(), stock if told.stock else ours)}
        rows.append(row)
        with kept.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{done} of {len(wanted)} {name}", file=sys.stderr, flush=True)
    table(rows)


if __name__ == "__main__":
    main()
