"""Every kind of image that is promised goes all the way: taken in, learnt from, scored on unseen patients, read.

A few steps teach nothing; these tests prove the way. Each takes some seconds, since a plan tries its steps first.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from isocenter import pipeline
from isocenter.errors import InputError
from isocenter.pipeline.outcome import Evaluated

pytestmark = pytest.mark.xdist_group("kinds")

Array = npt.NDArray[Any]
_SMALL = ("models.width=4", "training.steps=2", "training.batch=2", "transforms.strength=0")
PATIENTS = 18


def noise(number: int, *shape: int, most: int = 255) -> Array:
    return np.random.default_rng(number).integers(0, most, shape)


def save_picture(path: Path, array: Array) -> str:
    Image.fromarray(array).save(path)
    return path.name


def save_stack(path: Path, voxels: Array) -> str:
    nibabel.save(nibabel.Nifti1Image(voxels.astype(np.int16), np.diag([1.5, 1.5, 3.0, 1.0])), path)
    return path.name


def taken_in(folder: Path, row: Callable[[int], Mapping[str, object]]) -> Path:
    """Write what a function says of each patient as a table, take it in as "set", and return the store."""
    rows = [{"patient": f"P{number}"} | dict(row(number)) for number in range(PATIENTS)]
    lines = [",".join(rows[0]), *(",".join(map(str, one.values())) for one in rows)]
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pipeline.ingest(folder, dataset="set", store=folder.parent / "store")
    return folder.parent / "store"


def learnt(store: Path, *changes: str) -> tuple[str, Evaluated]:
    """Train on "set", and return the model with its figures on the test side."""
    model = pipeline.train(None, data="set", set_=(*_SMALL, *changes), store=store).model
    return model, pipeline.evaluate(model, data="set", store=store)


def read(model: str, picture: Path, store: Path) -> dict[str, Any]:
    return pipeline.predict(model, picture, out=store.parent / "out", store=store).to_json()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "set"
    made.mkdir()
    return made


def mixed_picture(number: int) -> Array:
    """Return one of three kinds: grey of 8 bits, grey of 12 bits in 16, colour; of two sizes."""
    size = ((40, 30), (24, 36))[number % 2]
    if number % 3 == 1:
        return noise(number, *size, most=4095).astype(np.uint16)
    return noise(number, *size, *((3,) if number % 3 == 2 else ())).astype(np.uint8)


def test_pictures_of_all_sizes_depths_and_colours_in_one_table_are_learnt_from_findings_listed_together(
    folder: Path,
) -> None:
    store = taken_in(
        folder,
        lambda number: {
            "path": save_picture(folder / f"{number}.png", mixed_picture(number)),
            "label": ("Mass|Effusion", "No Finding", "Mass", "Effusion")[number % 4],
        },
    )
    changes = ("tasks.kind=multilabel", "tasks.target=label", "training.patch=[1,32,32]")
    model, evaluated = learnt(store, *changes)
    assert {row["target"] for row in evaluated.rows} == {"Mass", "Effusion"}
    for number in range(3):  # one of each kind
        answers = read(model, folder / f"{number}.png", store)["answers"]
        assert [(one["target"], set(one["probabilities"])) for one in answers] == [
            ("Effusion", {"no", "yes"}), ("Mass", {"no", "yes"}),
        ]  # fmt: skip


def test_two_views_of_a_patient_are_two_channels_and_findings_in_two_columns_are_learnt(
    folder: Path, tmp_path: Path
) -> None:
    def views(number: int) -> dict[str, object]:
        named = {
            column: save_picture(folder / f"{number}_{column}.png", noise(number + shift, 32, 32).astype(np.uint8))
            for shift, column in ((0, "path_cc"), (100, "path_mlo"))
        }
        return named | {"mass": number % 2, "calcium": ("yes", "no", "")[number % 3]}

    store = taken_in(folder, views)
    changes = ("tasks.kind=multilabel", 'tasks.target=["mass","calcium"]', 'tasks.volumes=["cc","mlo"]')
    model, evaluated = learnt(store, *changes)
    assert len([row for row in evaluated.rows if row["target"] == "mass"]) == evaluated.cases
    with pytest.raises(InputError, match=r"2 volume\(s\) at once, cc, mlo; cc, mlo is missing among image"):
        read(model, folder / "0_path_cc.png", store)
    new = tmp_path / "new"
    new.mkdir()
    for number, role in enumerate(("cc", "mlo")):
        save_picture(new / f"{role}.png", noise(number, 32, 32).astype(np.uint8))
    assert [one["target"] for one in read(model, new, store)["answers"]] == ["mass", "calcium"]


def test_outlines_of_pictures_in_colour_come_back_on_the_picture(folder: Path) -> None:
    def cell(number: int) -> dict[str, object]:
        colours = noise(number, 40, 48, 3, most=120).astype(np.uint8)
        labels = np.zeros((40, 48), np.uint8)
        labels[10:30, 12:36], labels[16:24, 18:30] = 1, 2
        colours[labels > 0] += 60
        return {
            "path": save_picture(folder / f"{number}.png", colours),
            "mask": save_picture(folder / f"{number}_m.png", labels),
        }

    (folder / "labels.json").write_text('{"cytoplasm": 1, "nucleus": 2}')
    store = taken_in(folder, cell)
    model, evaluated = learnt(store)
    assert {"cytoplasm", "nucleus"} <= {score["label"] for score in evaluated.to_json()["scores"]}
    said = read(model, folder / "0.png", store)
    assert {score["unit"] for score in said["volumes"]} == {"pixels"}
    assert nibabel.load(store.parent / "out" / "mask.nii.gz").shape == (48, 40, 1)


@pytest.mark.parametrize("dimensions", ["3-D", "2.5-D"])
def test_a_number_with_its_unit_is_learnt_from_stacks_of_any_length(folder: Path, dimensions: str) -> None:
    store = taken_in(
        folder,
        lambda number: {
            "path": save_stack(folder / f"{number}.nii.gz", noise(number, 20, 24, 6 + number % 5)),
            "age [years]": 20 + 3 * number,
        },
    )
    changes = ("tasks.kind=regression", "tasks.target=age", f"models.dimensions={dimensions}")
    model, evaluated = learnt(store, *changes)
    assert {row["target"] for row in evaluated.rows} == {"age"}
    save_stack(folder / "long.nii.gz", noise(0, 20, 24, 40))
    (answer,) = read(model, folder / "long.nii.gz", store)["answers"]
    assert answer["unit"] == "years"
    assert answer["low"] <= answer["value"] <= answer["high"]
    assert answer["low"] < answer["high"]
    save_picture(folder / "flat.png", noise(0, 24, 20).astype(np.uint8))
    with pytest.raises(InputError, match=r"single picture; the model reads stacks"):
        read(model, folder / "flat.png", store)


def test_a_stack_is_outlined_slice_by_slice_from_folder_to_mask(folder: Path) -> None:
    def body(number: int) -> dict[str, object]:
        voxels = noise(number, 24, 28, 8)
        labels = np.zeros(voxels.shape, np.uint8)
        labels[8:16, 8:18, 2:6] = 1
        return {
            "path": save_stack(folder / f"{number}.nii.gz", voxels + 200 * labels),
            "mask": save_stack(folder / f"{number}_m.nii.gz", labels),
        }

    store = taken_in(folder, body)
    model, evaluated = learnt(store, "models.dimensions=2.5-D", "models.neighbours=1")
    assert evaluated.cases > 0
    assert read(model, folder / "0.nii.gz", store)["volumes"][0]["unit"] == "ml"
    assert nibabel.load(store.parent / "out" / "mask.nii.gz").shape == (24, 28, 8)
