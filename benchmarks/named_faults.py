"""Faults of whole cohorts, planted; and the faults that the public sets have by nature (see planted_faults.py)."""

import csv
import io
import shutil
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from isocenter import pipeline
from isocenter.case import Case, Dataset, Entry, Fact, Split, draw_split
from isocenter.image import Affine, Volume
from isocenter.intake.issue import Issue
from isocenter.intake.quality import check_together
from isocenter.intake.quality.boxes import check_boxes
from isocenter.intake.quality.portrait import Portrait, check_portraits, portray

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
_CHESTS = "cxr_nih"
_LEFT = "near duplicates"

Picture = npt.NDArray[np.uint8]
Rng = np.random.Generator


def cohort_faults(rng: Rng, trials: int) -> Iterator[tuple[str, bool, frozenset[str]]]:
    """Yield (kind, whether it was found, by which checks) of faults that only show when all cases are seen together."""
    chests = _chests()
    known = dict[int, Portrait]()
    for name, (told, plant) in COHORT_FAULTS.items():
        for _ in range(trials):
            chosen = [chests[place] for place in rng.choice(len(chests), 60, replace=False)]
            cases, split, where = plant(chosen, rng)
            issues = check_together(_dataset(cases, split), [_portrait(case, known) for case in cases])
            checks = {issue.check for issue in issues if all(word in f"{issue.where} {issue.figure}" for word in where)}
            yield name, bool(checks & told), frozenset(checks & told)


def _portrait(case: Case, known: dict[int, Portrait]) -> Portrait:
    """Return a case in figures, those of a picture that was seen before as they were."""
    voxels = case.volumes["image"].voxels
    place = hash(voxels.tobytes())
    if place not in known:
        known[place] = portray(case)
    images = tuple(replace(one, where=case.id) for one in known[place].images)
    return replace(known[place], case=case.id, images=images)


def _chests() -> list[Case]:
    with (SHARED / _CHESTS / "metadata.csv").open(encoding="utf-8") as sheet:
        rows = {row["Patient ID"]: row for row in csv.DictReader(sheet)}.values()  # one of each patient
    return [
        _case(f"nih_{row['Patient ID']}", np.asarray(Image.open(SHARED / _CHESTS / row["file"]).convert("L")),
              label=("well", "ill")[int(row["label"])], site=("a", "b")[number % 2])
        for number, row in enumerate(rows)
    ]  # fmt: skip


def _case(name: str, picture: Picture, **facts: str) -> Case:
    image = Volume(voxels=picture[None], affine=Affine(matrix=np.eye(4)), is_planar=True, has_size=False)
    told = {key: Fact(value=value) for key, value in facts.items()}
    return Case(id=name, patient=name, volumes={"image": image}, facts=told)


def _dataset(cases: list[Case], split: Split | None) -> Dataset:
    entries = tuple(
        Entry(id=case.id, patient=case.patient, facts=case.facts, outlines=(),
              volumes={role: str(hash(volume.voxels.tobytes())) for role, volume in case.volumes.items()})
        for case in cases
    )  # fmt: skip
    return Dataset(name="set", entries=entries, table=None, split=split or _drawn(cases))


def _drawn(cases: list[Case]) -> Split:
    return draw_split({case.patient: str(case.facts["label"].value) for case in cases})


Planted = tuple[list[Case], Split | None, list[str]]


def _copied(
    change: Callable[[Picture, Rng], Picture], *, is_other: bool = False
) -> Callable[[list[Case], Rng], Planted]:
    def plant(cases: list[Case], rng: Rng) -> Planted:
        chosen = cases[int(rng.integers(len(cases)))]
        picture = change(chosen.volumes["image"].voxels[0], rng)
        label = str(chosen.facts["label"].value)
        label = {"well": "ill", "ill": "well"}[label] if is_other else label
        copy = _case("copy", np.ascontiguousarray(picture), label=label, site="a")
        return [*cases, copy], None, ["copy", chosen.id]

    return plant


def _saved_again(picture: Picture, rng: Rng) -> Picture:
    written = io.BytesIO()
    smaller = Image.fromarray(picture).resize((250, 250), Image.Resampling.BICUBIC)
    smaller.save(written, "JPEG", quality=int(rng.integers(30, 80)))
    return np.asarray(Image.open(written))


def _cut(picture: Picture, rng: Rng) -> Picture:
    rows, columns = (int(side * rng.uniform(0.05, 0.2)) for side in picture.shape)
    top, left = rng.integers(0, rows + 1), rng.integers(0, columns + 1)
    return picture[top : picture.shape[0] - rows + top, left : picture.shape[1] - columns + left]


def _marked(cases: list[Case], rng: Rng) -> Planted:
    """Write a mark into nine in ten of the ill."""
    made = []
    for case in cases:
        picture = case.volumes["image"].voxels[0].copy()
        if case.facts["label"].value == "ill" and rng.random() < 0.9:
            picture[8:40, 8:14] = picture[34:40, 8:30] = 255
        made.append(_case(case.id, picture, label=str(case.facts["label"].value)))
    return made, None, ["'label'"]


def _by_site(cases: list[Case], rng: Rng) -> Planted:
    made = [
        replace(case, facts={**case.facts, "site": Fact(value="b" if case.facts["label"].value == "ill" else "a")})
        if rng.random() < 0.9 else case
        for case in cases
    ]  # fmt: skip
    return made, None, ["'site'"]


def _by_size(cases: list[Case], rng: Rng) -> Planted:
    made = [
        _case(case.id, np.asarray(Image.fromarray(case.volumes["image"].voxels[0]).resize((300, 300))),
              label=str(case.facts["label"].value))
        if case.facts["label"].value == "ill" and rng.random() < 0.9 else case
        for case in cases
    ]  # fmt: skip
    return made, None, ["'image size'"]


def _unlearnt(cases: list[Case], rng: Rng) -> Planted:
    split = _drawn(cases)
    rare = [
        replace(case, facts={"label": Fact(value="rare")}) if split.sides[case.patient] == "test" else case
        for case in cases
    ]  # fmt: skip
    return rare, split, ["rare"]


def _once(cases: list[Case], rng: Rng) -> Planted:
    return [replace(cases[0], facts={"label": Fact(value="rare")}), *cases[1:]], None, ["rare"]


def _one_patient(cases: list[Case], rng: Rng) -> Planted:
    return [replace(case, patient="p") for case in cases], Split(sides={"p": "train"}, folds={"p": 0}), ["patient"]


def _is(*names: str) -> frozenset[str]:
    return frozenset(names)


COHORT_FAULTS: dict[str, tuple[frozenset[str], Callable[[list[Case], Rng], Planted]]] = {
    "an image under two patients": (_is("one image twice"), _copied(lambda picture, rng: picture)),
    "an image under two labels": (_is("one image, two labels"), _copied(lambda picture, rng: picture, is_other=True)),
    "an image saved again under another label": (_is("one image, two labels"), _copied(_saved_again, is_other=True)),
    "an image saved again": (_is(_LEFT), _copied(_saved_again)),
    "an image cut by 5 to 20 %": (_is(_LEFT), _copied(_cut)),
    "an image mirrored": (_is(_LEFT), _copied(lambda picture, rng: picture[:, ::-1])),
    "an image turned by 90°": (_is(_LEFT), _copied(lambda picture, rng: np.rot90(picture))),
    "an image made lighter": (_is(_LEFT), _copied(lambda picture, rng: (picture * 0.7 + 60).astype(np.uint8))),
    "a site that tells the label": (_is("shortcut"), _by_site),
    "an image size that tells the label": (_is("shortcut"), _by_size),
    "a mark that tells the label": (_is("shortcut"), _marked),
    "a class on the test side only": (_is("classes"), _unlearnt),
    "a class of one case": (_is("classes"), _once),
    "all cases of one patient": (_is("patients"), _one_patient),
}


def named_faults() -> Iterator[dict[str, object]]:
    """Print and yield the faults that the public sets have by nature: which, whether found, by what."""
    for name, look in NAMED.items():
        found, of, told = look()
        print(f"named: {name}: {found} of {of}: {told}", flush=True)
        yield {"fault": name, "found": found, "of": of, "told": told}


Looked = tuple[int, int, str]


def _bad_cases() -> Looked:
    """Check the hippocampus folder with the three planted files in their places."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "set"
        shutil.copytree(SHARED / "msd_hippocampus", folder)
        bad = sorted((folder / "planted_bad_cases").iterdir())
        for path in bad:
            kind, _, name = path.name.partition("_only_")
            path.rename(folder / {"image": "imagesTr", "label": "labelsTr"}[kind] / name)
        (folder / "planted_bad_cases").rmdir()
        issues = pipeline.check(str(folder)).issues
    numbers = [path.name.split("_")[-1].split(".")[0] for path in bad]
    return _found(issues, numbers, lambda issue: issue.severity == "stop")


def _scaled() -> Looked:
    """Look for the volumes of other intensities in the hippocampus set."""
    import nibabel as nib

    paths = sorted((SHARED / "msd_hippocampus" / "imagesTr").glob("*.nii.gz"))
    large = [path for path in paths if float(np.percentile(np.asarray(nib.load(path).dataobj), 99)) > 5000]
    issues = pipeline.check(str(SHARED / "msd_hippocampus")).issues
    names = [path.name.split(".")[0] for path in large]
    return _found(issues, names, lambda issue: issue.check == "intensity scale")


def _two_labels() -> Looked:
    issues = pipeline.check(str(SHARED / "busi")).issues
    hits = [one for one in issues if "benign_433" in one.where and "malignant_145" in one.where]
    return int(any("labels" in one.figure for one in hits)), 1, "; ".join(f"{one.check}: {one.figure}" for one in hits)


def _empty_boxes() -> Looked:
    """Read BCCD's boxes and look for those without an area."""
    issues, empty = list[Issue](), list[str]()
    for path in sorted((SHARED / "bccd" / "Annotations").glob("*.xml")):
        tree = ET.parse(path).getroot()  # noqa: S314 (a public set at hand)
        size = [int(tree.findtext(f"size/{side}", "0")) for side in ("height", "width")]
        corners = ("ymin", "xmin", "ymax", "xmax")
        boxes = np.array([[float(one.findtext(f"bndbox/{c}", "nan")) for c in corners] for one in tree.iter("object")])
        found = list(check_boxes(boxes, (size[0], size[1]), where=path.stem))
        issues += found
        empty += [path.stem for y0, x0, y1, x1 in boxes if y1 <= y0 or x1 <= x0]
    return _found(issues, sorted(set(empty)), lambda issue: issue.check == "empty box")


def _views() -> Looked:
    issues = pipeline.check(str(SHARED / _CHESTS), set_=("quality.near_duplicate=2",)).issues
    hits = [one.figure for one in issues if one.check == "shortcut" and "View Position" in one.figure]
    return int(bool(hits)), 1, "; ".join(hits)


def _repeated_patients() -> Looked:
    """State sides of NIH's images by chance, so that patients of several images lie on two."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "set"
        shutil.copytree(SHARED / _CHESTS / "images", folder / "images")
        with (SHARED / _CHESTS / "metadata.csv").open(encoding="utf-8") as sheet:
            rows = list(csv.DictReader(sheet))
        rng = np.random.default_rng(0)
        sides: dict[str, set[str]] = {}
        with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as sheet:
            table = csv.writer(sheet)
            table.writerow(["file", "label", "patient", "split"])
            for row in rows:
                side = str(rng.choice(["train", "validation", "test"], p=[0.7, 0.1, 0.2]))
                sides.setdefault(row["Patient ID"], set()).add(side)
                table.writerow([row["file"], row["label"], row["Patient ID"], side])
        issues = pipeline.check(str(folder), set_=("quality.near_duplicate=2",)).issues
    torn = sum(len(one) > 1 for one in sides.values())
    hits = [f"{one.where}: {one.figure}" for one in issues if one.check == "one patient"]
    return torn if any(f" {torn} patient" in one for one in hits) else 0, torn, "; ".join(hits[:2])


def _foreign() -> Looked:
    """Put ten MedNIST images of each of five kinds among 200 chest radiographs, one at a time."""
    chests = [portray(case) for case in _chests()[:200]]
    found, missed = 0, list[str]()
    kinds = ("AbdomenCT", "BreastMRI", "ChestCT", "Hand", "HeadCT")
    for kind in kinds:
        for path in sorted((SHARED / "mednist_64" / kind).glob("*.jpeg"))[:10]:
            other = portray(_case("foreign", np.asarray(Image.open(path).convert("L"))))
            told = {one.check for one in check_portraits([*chests, other], name="set") if one.where == "foreign"}
            found += "another kind of image" in told
            missed += [] if "another kind of image" in told else [f"{kind}/{path.name}: {sorted(told)}"]
    return found, 10 * len(kinds), "; ".join(missed[:4])


def _found(issues: tuple[Issue, ...] | list[Issue], names: list[str], counts: Callable[[Issue], bool]) -> Looked:
    hits = [one for one in issues if counts(one)]
    found = [name for name in names if any(name in one.where for one in hits)]
    return len(found), len(names), "; ".join(f"{one.where}: {one.figure} ({one.check})" for one in hits[:3])


NAMED: dict[str, Callable[[], Looked]] = {
    "hippocampus: planted bad cases": _bad_cases, "hippocampus: intensities a thousand times": _scaled,
    "BUSI: an image under two labels": _two_labels, "BCCD: boxes without an area": _empty_boxes,
    "NIH: AP or PA tells the label": _views, "NIH: patients on two stated sides": _repeated_patients,
    "MedNIST among chest radiographs": _foreign,
}  # fmt: skip
