"""Versions of data sets: another split, what changed, pins that never move, frozen test sides, bytes that hold."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from isocenter import pipeline
from isocenter.case import Annotation, Case, Dataset, Entry
from isocenter.errors import FrozenError, InputError, NotFoundError, SealError, SplitError
from isocenter.image import Affine, LabelTable, Mask, Volume, write_nifti
from isocenter.intake.quality.made_on import check_made_on
from isocenter.pipeline.freezing import require_learnable
from isocenter.pipeline.intake import _keep
from isocenter.store import open_store

PATIENTS = 24
LEARN = "tasks.kind='classification'", "tasks.target=['label']"
SIDES = ("train", "validation", "test")


def picture(number: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(number).integers(0, 255, (8, 9), dtype=np.uint8))


def write(root: Path, rows: dict[int, str], *, prefix: str = "P") -> Path:
    """Write pictures, by their number, with the label of each; a picture belongs to the patient of its number."""
    root.mkdir(exist_ok=True)
    lines = ["path,label,patient,site"]
    for number, label in rows.items():
        picture(number).save(root / f"{number}.png")
        lines.append(f"{number}.png,{label},{prefix}{number},{('north', 'south')[number % 2]}")
    (root / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return root


def labels(count: int = PATIENTS) -> dict[int, str]:
    return {number: "sick" if number % 3 == 0 else "well" for number in range(count)}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with one version, made once."""
    root = tmp_path_factory.mktemp("kept")
    pipeline.ingest(write(root / "pictures", labels()), dataset="chests", store=root / "store")
    return root / "store"


@pytest.fixture
def store(kept: Path, tmp_path: Path) -> Path:
    """Return a copy of that store."""
    return shutil.copytree(kept, tmp_path / "store")


def version(store: Path, name: str = "chests") -> Dataset:
    with open_store(store) as house:
        return house.datasets.get(name)


def patients(store: Path, side: str, name: str = "chests") -> frozenset[str]:
    split = version(store, name).split
    assert split is not None
    return split.patients(side)  # type: ignore[arg-type]


def freeze(store: Path, name: str = "chests") -> dict[str, Any]:
    return pipeline.freeze_version(name, purpose="test side of the paper", store=store).to_json()


# splits


def test_a_split_makes_a_version_and_changes_none(store: Path) -> None:
    before = version(store)
    made = pipeline.split("chests", shares=(0.5, 0.25, 0.25), folds=3, seed=4, by=("label", "site"), store=store)
    told = made.to_json()
    assert version(store, before.id) == before
    assert version(store).id == told["dataset"] != before.id
    assert (told["before"], told["folds"], told["by"]) == (before.id, 3, ["label", "site"])
    everybody = told["parts"][0]
    assert everybody["patients"] == {"train": 12, "validation": 6, "test": 6}
    assert everybody["missed"] == 0.0
    assert {(one["by"], one["kind"]) for one in told["parts"][1:]} == {
        ("label", "sick"), ("label", "well"), ("site", "north"), ("site", "south"),
    }  # fmt: skip
    assert all(sum(one["patients"].values()) in (8, 12, 16) for one in told["parts"][1:])
    assert max(one["missed"] for one in told["parts"]) < 2.0
    assert [step for step, _ in pipeline.verify(told["dataset"][:12], store=store).links] == ["split", "ingest"]


def test_the_same_words_make_the_same_version(store: Path) -> None:
    asked = {"seed": 3, "by": ("label",), "store": store}
    first, second = (pipeline.split("chests", **asked).dataset.id for _ in range(2))
    assert first == second
    assert pipeline.split("chests", **(asked | {"seed": 4})).dataset.id != first


def test_the_test_side_can_stay_while_the_rest_is_drawn_anew(store: Path) -> None:
    before = patients(store, "test")
    pipeline.split("chests", shares=(0.6, 0.3, 0.1), seed=9, keep_test=True, store=store)
    assert patients(store, "test") == before


def test_patients_who_share_an_image_stand_on_one_side_as_one(tmp_path: Path) -> None:
    folder = write(tmp_path / "pictures", labels(12))
    for number in (1, 5):  # the picture of patient 0 again, under two other names
        shutil.copy(folder / "0.png", folder / f"{number}.png")
    pipeline.ingest(folder, dataset="twins", store=tmp_path / "store")
    made = pipeline.split("twins", store=tmp_path / "store")
    (group,) = made.together
    assert len(group) == 3
    assert made.dataset.split is not None
    assert len({made.dataset.split.sides[patient] for patient in group}) == 1
    assert sum(made.parts[0].patients.values()) == 10


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"by": ("sight",)}, "Did you mean 'site'"),
        ({"shares": (0.5, 0.5, 0.5)}, "do not sum to 1"),
        ({"folds": 1}, "two are the least"),
    ],
)
def test_a_split_that_cannot_be_is_refused_in_words(store: Path, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(SplitError, match=words):
        pipeline.split("chests", **asked, store=store)
    assert len(pipeline.list_versions("chests", store=store).fields["versions"]) == 1


# what changed


def test_a_diff_says_in_words_what_a_new_ingest_brought(store: Path, tmp_path: Path) -> None:
    rows = labels(PATIENTS + 2)
    rows[1] = "sick"
    folder = write(tmp_path / "again", rows)
    Image.fromarray(np.zeros((8, 9), dtype=np.uint8) + np.arange(9, dtype=np.uint8)).save(folder / "2.png")
    pipeline.ingest(folder, dataset="chests", store=store)
    found = pipeline.diff_versions("chests", store=store).to_json()
    kinds = found["counts"]
    assert (kinds["added"], kinds["image changed"], kinds["fact"]) == (2, 1, 1)
    told = " ".join(found["told"])
    assert "Cases added: 2 (24, 25)." in told
    assert "Labelled otherwise (label; nobody is named for it): 1 (1: well → sick)." in told
    assert "新增病例 2 例" in " ".join(pipeline.diff_versions("chests", lang="zh", store=store).told)


def test_a_version_and_itself_differ_in_nothing(store: Path) -> None:
    found = pipeline.diff_versions("chests", "chests", store=store).to_json()
    assert found["one_version"]
    assert found["changes"] == []


def test_one_version_alone_has_nothing_to_be_compared_with(store: Path) -> None:
    with pytest.raises(NotFoundError, match="one version only"):
        pipeline.diff_versions("chests", store=store)


def test_one_older_version_is_compared_with_the_newest(store: Path) -> None:
    pipeline.pin_version("chests", "paper", store=store)
    pipeline.split("chests", seed=1, store=store)
    found = pipeline.diff_versions("chests@paper", store=store)
    assert (found.first.id, found.second.id) == (version(store, "chests@paper").id, version(store).id)


# pins


def test_a_pin_means_its_version_whatever_comes_later(store: Path) -> None:
    first = version(store).id
    pipeline.pin_version("chests", "paper", store=store)
    later = pipeline.split("chests", seed=1, store=store).dataset.id
    assert version(store, "chests@paper").id == first
    assert version(store, "chests").id == version(store, "chests@latest").id == later
    assert version(store, f"chests@{first[:8]}").id == first
    assert "ingest" in [step for step, _ in pipeline.verify("chests@paper", store=store).links]
    listed = pipeline.list_versions("chests", store=store).fields["versions"]
    assert [(row["id"], row["pins"]) for row in listed] == [(later, []), (first, ["paper"])]


def test_a_pin_never_moves_and_pinning_again_adds_nothing(store: Path) -> None:
    receipt = pipeline.pin_version("chests", "paper", store=store).fields["receipt"]
    assert pipeline.pin_version("chests", "paper", store=store).fields["receipt"] == receipt
    pipeline.split("chests", seed=1, store=store)
    with pytest.raises(InputError, match="never moves"):
        pipeline.pin_version("chests", "paper", store=store)


@pytest.mark.parametrize("word", ["latest", "", "a b", "../x", "a@b"])
def test_a_word_that_cannot_pin_is_refused(store: Path, word: str) -> None:
    with pytest.raises(InputError, match="cannot pin"):
        pipeline.pin_version("chests", word, store=store)


def test_a_word_that_begins_an_id_is_refused(store: Path) -> None:
    with pytest.raises(InputError, match="begins the id"):
        pipeline.pin_version("chests", version(store).id[:6], store=store)


def test_a_pin_that_nobody_made_is_not_found_and_those_there_are_named(store: Path) -> None:
    pipeline.pin_version("chests", "paper", store=store)
    with pytest.raises(NotFoundError, match="It has: paper"):
        version(store, "chests@papre")


def test_a_pinned_version_goes_only_by_its_pin_and_the_pin_then_means_nothing(store: Path) -> None:
    pipeline.pin_version("chests", "paper", store=store)
    pipeline.split("chests", seed=1, store=store)
    with pytest.raises(InputError, match="chests@paper"):
        pipeline.remove_kept("datasets", version(store, "chests@paper").id, store=store)
    pipeline.remove_kept("datasets", "chests@paper", store=store)
    with pytest.raises(NotFoundError, match="never means another one"):
        version(store, "chests@paper")
    (gone,) = pipeline.list_versions("chests", store=store).fields["pins_of_removed"]
    assert gone["word"] == "paper"


def test_a_data_set_cannot_be_called_as_a_pin_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names one of its versions"):
        pipeline.ingest(tmp_path, dataset="chests@paper", store=tmp_path / "store")


def test_a_pin_that_was_changed_on_the_disk_is_found(store: Path) -> None:
    receipt = pipeline.pin_version("chests", "paper", store=store).fields["receipt"]
    path = store / "receipts" / f"{receipt}.json"
    envelope = json.loads(path.read_text())
    envelope["payload"] = envelope["payload"][:-8] + "AAAAAAA="
    path.chmod(0o644)
    path.write_text(json.dumps(envelope))
    with pytest.raises(SealError):
        version(store, "chests@paper")


# frozen test sides


def test_a_frozen_patient_is_learnt_from_in_no_version(store: Path) -> None:
    pipeline.split("chests", seed=1, store=store)  # others are on its test side
    frozen = patients(store, "test")
    told = freeze(store)
    assert told["patients"] == len(frozen)
    (touched,) = told["versions"]
    old = touched["id"]
    assert touched["patients"] == len(frozen - patients(store, "test", old)) > 0
    for step in (pipeline.plan, pipeline.train):
        with pytest.raises(FrozenError, match="isocenter split chests"):
            step(data=old, set_=LEARN, store=store)
        with pytest.raises(FrozenError, match="isocenter split chests"):
            step(data=old, set_=(*LEARN, "training.fold=1"), store=store)
    issue = next(one for one in pipeline.check(old, store=store).issues if one.check == "frozen")
    assert issue.severity == "stop"
    with open_store(store) as house:
        require_learnable(house, house.datasets.get("chests"))


def test_a_new_split_keeps_the_frozen_on_the_test_side(store: Path) -> None:
    frozen = patients(store, "test")
    freeze(store)
    made = pipeline.split("chests", shares=(0.5, 0.25, 0.25), seed=8, store=store)
    assert frozen <= patients(store, "test")
    assert {one.patient for one in made.frozen} == frozen
    assert len(patients(store, "test")) == 6  # others join them, up to the share


def test_a_new_ingest_puts_the_frozen_on_the_test_side_and_says_so(store: Path, tmp_path: Path) -> None:
    frozen = patients(store, "test")
    freeze(store)
    folder = write(tmp_path / "grown", labels(PATIENTS + 20))
    taken = pipeline.ingest(folder, dataset="grown", seed=5, store=store)
    assert frozen <= patients(store, "test", "grown")
    issue = next(one for one in taken.issues if one.check == "frozen")
    assert f"{len(frozen)} patient(s) frozen with the test side of chests" in issue.figure


def test_the_same_image_under_another_patient_is_noticed(store: Path, tmp_path: Path) -> None:
    frozen = patients(store, "test")
    freeze(store)
    folder = write(tmp_path / "renamed", labels(), prefix="Q")
    taken = pipeline.ingest(folder, dataset="renamed", seed=5, store=store)
    there = patients(store, "test", "renamed")
    assert not frozen & {entry.patient for entry in taken.dataset.entries}
    assert len(there) >= len(frozen)
    issue = next(one for one in taken.issues if one.check == "frozen")
    assert f"{len(frozen)} of them known by an image, under another name" in issue.figure
    images = {digest for entry in version(store).on_side("test") for digest in entry.volumes.values()}
    learnt = {d for side in SIDES[:2] for e in taken.dataset.on_side(side) for d in e.volumes.values()}  # type: ignore[arg-type]
    assert not images & learnt


def test_a_folder_of_frozen_patients_alone_is_for_scoring_only(store: Path, tmp_path: Path) -> None:
    numbers = [int(entry.id) for entry in version(store).on_side("test")]
    freeze(store)
    folder = write(tmp_path / "only", {number: labels()[number] for number in numbers})
    pipeline.ingest(folder, dataset="only", store=store)
    assert len(patients(store, "test", "only")) == len(numbers)
    with pytest.raises(SplitError, match="0 cases"):
        pipeline.plan(data="only", set_=LEARN, store=store)
    with pytest.raises(SplitError, match="must stay on the test side"):
        pipeline.split("only", store=store)


def test_sides_that_a_folder_states_do_not_thaw_anybody(store: Path, tmp_path: Path) -> None:
    frozen = {entry.id: entry.patient for entry in version(store).on_side("test")}
    freeze(store)
    folder = write(tmp_path / "stated", labels())
    lines = (folder / "labels.csv").read_text().splitlines()
    stated = [
        f"{line},{'train' if line.split('.')[0] in frozen else 'test' if n == 1 else ''}"
        for n, line in enumerate(lines)
    ]
    stated[0] = lines[0] + ",split"
    (folder / "labels.csv").write_text("\n".join(stated))
    pipeline.ingest(folder, dataset="stated", store=store)
    assert set(frozen.values()) <= patients(store, "test", "stated")


def test_the_list_says_who_is_frozen_where(store: Path) -> None:
    pipeline.split("chests", seed=1, store=store)
    told = freeze(store)
    new, old = pipeline.list_versions("chests", store=store).fields["versions"]
    assert (new["frozen"], new["frozen_learnt"]) == (told["patients"], 0)
    assert old["frozen_learnt"] == told["versions"][0]["patients"]
    assert old["frozen"] + old["frozen_learnt"] == told["patients"]


def test_freezing_again_adds_nothing(store: Path) -> None:
    first, second = freeze(store), freeze(store)
    assert first["receipt"] == second["receipt"]
    assert (first["again"], second["again"]) == (False, True)


def test_freezing_says_why_or_is_not_done(store: Path) -> None:
    with pytest.raises(InputError, match="--purpose"):
        pipeline.freeze_version("chests", purpose=" ", store=store)


def test_a_test_side_that_leaks_cannot_be_frozen(tmp_path: Path) -> None:
    folder = write(tmp_path / "pictures", labels(12))
    store = tmp_path / "store"
    first = pipeline.ingest(folder, dataset="twins", store=store).dataset
    tested, learnt = (first.on_side(side)[0].id for side in ("test", "train"))
    shutil.copy(folder / f"{tested}.png", folder / f"{learnt}.png")
    pipeline.ingest(folder, dataset="twins", store=store)
    with pytest.raises(SplitError, match="hold an image of the test side"):
        freeze(store, "twins")
    pipeline.split("twins", store=store)
    assert freeze(store, "twins")["patients"] > 0


# bytes


def blob(store: Path, entry: Entry) -> Path:
    digest = next(iter(entry.volumes.values()))
    return store / "blobs" / digest[:2] / digest[2:]


@pytest.mark.parametrize("fate", ["changed", "gone"])
def test_a_blob_that_does_not_hold_is_noticed_and_its_case_named(store: Path, fate: str) -> None:
    entry = version(store).entries[7]
    path = blob(store, entry)
    path.chmod(0o644)
    if fate == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(SealError, match=rf"1 volume.*{entry.id}, image: "):
        pipeline.verify("chests", store=store)
    issue = next(one for one in pipeline.check("chests", store=store).issues if one.check == "bytes")
    assert (issue.where, issue.severity) == (entry.id, "stop")


# outlines of another image


def volume(seed: int) -> Volume:
    voxels = np.random.default_rng(seed).integers(0, 900, (4, 5, 6)).astype(np.int16)
    return Volume(voxels=voxels, affine=Affine(matrix=np.eye(4)), modality="MR")


@pytest.fixture
def outlined(tmp_path: Path) -> Path:
    folder = tmp_path / "outlined"
    table = LabelTable.of("liver")
    labels_ = np.zeros((4, 5, 6), dtype=np.uint8)
    labels_[1:3, 1:3, 1:3] = 1
    mask = Mask(labels=labels_, affine=Affine(matrix=np.eye(4)), table=table)
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    for number in range(4):
        write_nifti(volume(number), folder / "imagesTr" / f"case_{number}.nii.gz")
        write_nifti(mask, folder / "labelsTr" / f"case_{number}.nii.gz")
    pairs = [{"image": f"./imagesTr/case_{k}.nii.gz", "label": f"./labelsTr/case_{k}.nii.gz"} for k in range(4)]
    sheet = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "liver"}, "training": pairs}
    (folder / "dataset.json").write_text(json.dumps(sheet))
    return folder


def test_an_outline_made_on_another_version_of_its_image_is_named(outlined: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = pipeline.ingest(outlined, dataset="livers", store=store).dataset
    assert all("made_on" not in outline for entry in first.to_document()["entries"] for outline in entry["outlines"])
    write_nifti(volume(99), outlined / "imagesTr" / "case_2.nii.gz")
    for _ in range(2):  # the next version remembers it too
        taken = pipeline.ingest(outlined, dataset="livers", store=store)
        (issue,) = (one for one in taken.issues if one.check == "label of another image")
        assert (issue.where, issue.severity) == ("case_2", "warn")
        assert taken.dataset.entry("case_2").outlines[0].made_on == first.entry("case_2").image
    assert any(one.check == "label of another image" for one in pipeline.check("livers", store=store).issues)
    with open_store(store) as house:
        case = house.case(taken.dataset, taken.dataset.entry("case_2"))
    assert case.annotations[0].made_on == first.entry("case_2").image
    write_nifti(volume(2), outlined / "imagesTr" / "case_2.nii.gz")
    back = pipeline.ingest(outlined, dataset="livers", store=store).dataset
    assert back.id == first.id


def test_an_outline_that_was_drawn_again_belongs_to_the_image_of_now(outlined: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    pipeline.ingest(outlined, dataset="livers", store=store)
    write_nifti(volume(99), outlined / "imagesTr" / "case_2.nii.gz")
    labels_ = np.zeros((4, 5, 6), dtype=np.uint8)
    labels_[1:3, 2:4, 2:4] = 1
    drawn = Mask(labels=labels_, affine=Affine(matrix=np.eye(4)), table=LabelTable.of("liver"))
    write_nifti(drawn, outlined / "labelsTr" / "case_2.nii.gz")
    taken = pipeline.ingest(outlined, dataset="livers", store=store)
    assert not taken.dataset.entry("case_2").outlines[0].made_on


def test_the_image_of_a_case_of_several_volumes_is_all_of_them_in_any_order(kept: Path) -> None:
    entry = version(kept).entries[0]
    assert entry.image == next(iter(entry.volumes.values()))
    two = replace(entry, volumes={"b": "1" * 64, "a": "2" * 64})
    assert two.image == replace(two, volumes={"a": "2" * 64, "b": "1" * 64}).image
    assert two.image != replace(two, volumes={"a": "1" * 64, "b": "2" * 64}).image


@pytest.mark.parametrize("is_own", [True, False])
def test_an_importer_that_knows_the_image_of_an_outline_says_so(tmp_path: Path, is_own: bool) -> None:
    """Where that is the image beside it nothing is noted, so that the version's id stays what it always was."""
    image, table = volume(0), LabelTable.of("liver")
    mask = Mask(labels=np.ones((4, 5, 6), dtype=np.uint8), affine=image.affine, table=table)
    with open_store(tmp_path / "store", create_new=True) as house:
        digest = house.put_volume(image) if is_own else "f" * 64
        annotation = Annotation(reader="anna", mask=mask, made_on=digest)
        case = Case(id="c", patient="p", volumes={"image": image}, annotations=(annotation,))
        entry = _keep(house, case, [])
    (issue,) = check_made_on(Dataset(name="d", entries=(entry,), table=table, split=None)) if not is_own else (None,)
    assert entry.outlines[0].made_on == ("" if is_own else digest)
    assert issue is None or "anna was made on image ffff" in issue.figure
