"""Pictures that cannot be used, among many that can: named, counted, and the rest goes on, as a stranger sees it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isocenter.store import open_store
from tests.flows.world import World, isocenter

pytestmark = pytest.mark.xdist_group("flows")

COUNT = 100  # of which one in twenty may be bad
BAD = {"cut.jpg": "cut off", "print.jpg": "CMYK", "moving.png": "2 frames of an animation", "gone.png": "no such file"}


def write_pictures(folder: Path) -> Path:
    """Write a hundred pictures with their table: four of no use, one on its side, one of 12 bits in 16."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    lines = ["path,label,patient"]
    for number, name in enumerate([*(f"{number}.png" for number in range(COUNT - len(BAD))), *BAD]):
        grey = rng.integers(0, 255, (20, 30), dtype=np.uint8)
        lines.append(f"{name},{('well', 'ill')[number % 2]},P{number}")
        if name == "0.png":
            exif = Image.Exif()
            exif[0x0112] = 6  # a quarter turn
            Image.fromarray(grey).save(folder / name, exif=exif)
        elif name == "1.png":
            Image.fromarray(rng.integers(0, 4095, (20, 30)).astype(np.uint16)).save(folder / name)
        elif name == "cut.jpg":
            Image.fromarray(grey).save(folder / name)
            (folder / name).write_bytes((folder / name).read_bytes()[:300])
        elif name == "print.jpg":
            Image.fromarray(grey).convert("CMYK").save(folder / name)
        elif name == "moving.png":
            Image.fromarray(grey).save(folder / name, save_all=True, append_images=[Image.fromarray(255 - grey)])
        elif name != "gone.png":
            Image.fromarray(grey).save(folder / name)
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("bad") / "pictures")


@pytest.fixture(scope="module")
def store(pictures: Path) -> Path:
    return pictures.parent / "store"


@pytest.fixture(scope="module")
def taken(pictures: Path, store: Path) -> dict[str, object]:
    document: dict[str, object] = isocenter("ingest", pictures, "--dataset", "d", "--store", store, "--json").document
    return document


def test_bad_pictures_among_many_are_named_with_what_is_wrong_and_the_rest_is_taken(taken: dict[str, object]) -> None:
    assert taken["cases"] == COUNT - len(BAD)
    told = json.dumps(taken["left_out"])
    assert all(name in told for name in BAD)
    issues = {issue["where"]: json.dumps(issue) for issue in taken["issues"]}
    for name, words in BAD.items():
        (found,) = (issue for where, issue in issues.items() if name in where)
        assert words in found, found


def test_a_picture_on_its_side_stands_up_and_twelve_bits_stay_twelve(taken: dict[str, object], store: Path) -> None:
    assert taken["cases"]
    with open_store(store) as house:
        version = house.datasets.get("d")
        first, second = (house.case(version, entry).volumes["image"] for entry in version.entries if entry.id in "01")
    assert (first.shape, second.shape) == ((1, 30, 20), (1, 20, 30))
    assert 255 < second.voxels.max() < 4096


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("models.network=gru",), 7, "pictures (2-D). These fit: resnet"),
        (("models.dimensions=3-D",), 7, '"2-D" fits'),
        (("tasks.target=lable",), 3, "Did you mean 'label'"),
        (("tasks.volumes=['lateral']",), 7, "which no case has"),
    ],
)
def test_what_cannot_be_planned_on_pictures_is_refused_by_one_sentence(
    taken: dict[str, object], store: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    assert taken["cases"]
    changes = [word for change in ("tasks.kind=classification", *words) for word in ("--set", change)]
    ended = isocenter("plan", "--data", "d", *changes, "--store", store, code=code)
    assert said in ended.err
    assert ended.err.count("error: ") == 1


def test_a_column_that_is_not_there_is_named_with_those_that_are(pictures: Path, tmp_path: Path) -> None:
    words = ("--columns", "label=diagnosis", "--store", tmp_path / "store")
    ended = isocenter("ingest", pictures, "--dataset", "d", *words, code=3)
    assert "diagnosis" in ended.err
    assert "label" in ended.err


@pytest.mark.parametrize("name", ["cut.jpg", "print.jpg", "moving.png", "0.png"])
def test_a_model_is_not_shown_a_picture_that_it_cannot_read(
    world: World, pictures: Path, tmp_path: Path, name: str
) -> None:
    ended = world.run("predict", world.model, pictures / name, "--out", tmp_path / "out", code=3)
    assert (BAD.get(name) or "the model reads stacks of slices") in ended.err
    assert not (tmp_path / "out").exists()
