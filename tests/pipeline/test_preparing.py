"""Steps of restoration in a recipe: learnt on the training side alone, carried by the model, kept as a new version."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import pipeline
from isocenter.errors import InputError, NotFoundError, PlanError, RecipeError
from isocenter.image import read_nifti, read_nifti_mask, write_nifti
from isocenter.learning.inference.restoring import lay
from isocenter.learning.training.restoring import Asked, Restorer, asked_chains, fit_chains, with_chains
from isocenter.models.model import read_model
from isocenter.processing.restoration import Chain
from isocenter.recipe import Recipe, read_recipe
from isocenter.store import open_store
from isocenter.store.store import Store
from tests.flows.world import isocenter, write_cohort

STEPS = 'restoration.steps=[{step="crop_body", margin_mm=4}, "median", "nyul"]'
SMALL = ("training.steps=12", "models.width=4", "models.depth=2", "training.patch=[16, 16, 16]")


def as_mr(folder: Path, *, altered: tuple[str, ...] = ()) -> Path:
    """Turn a cohort of CT phantoms into MR: air is 0; images of some names are bent, so that their histogram is."""
    document = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(document | {"modality": {"0": "MR"}}))
    for path in sorted((folder / "imagesTr").iterdir()):
        volume = read_nifti(path)
        voxels = np.clip(volume.voxels.astype(np.float32) + 1000, 0, None)
        if path.name.removesuffix(".nii.gz") in altered:
            voxels = voxels**1.5
        write_nifti(replace(volume, voxels=voxels), path)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with the data set "bodies", of MR phantoms."""
    folder = tmp_path_factory.mktemp("preparing")
    cohort = as_mr(write_cohort(folder / "bodies", count=12))
    pipeline.ingest(cohort, dataset="bodies", store=folder / "store")
    return folder / "store"


@pytest.fixture(scope="module")
def trained(place: Path) -> Any:
    """Return a model that was trained with steps, and its document."""
    return pipeline.train(data="bodies", set_=(*SMALL, STEPS), store=place)


@pytest.fixture(scope="module")
def prepared(place: Path) -> Any:
    """Return the same steps as a version of their own."""
    page = place.parent / "before-and-after.html"
    return pipeline.prepare("bodies", dataset="bodies-even", set_=(STEPS,), page=page, store=place)


def landmarks(lines: Any) -> list[float]:
    (found,) = [line["landmarks"] for line in lines if line["step"] == "nyul"]
    return list(found)


def test_a_step_learns_from_the_training_side_and_from_nothing_else(
    place: Path, tmp_path: Path, prepared: Any, trained: Any
) -> None:
    with open_store(place) as house:
        version = house.datasets.get("bodies")
        train = version.on_side("train")
        chain = Chain.from_document([{"step": "crop_body", "margin_mm": 4}, {"step": "median"}, {"step": "nyul"}])
        by_hand = chain.fit([lay(house.get_volume(one.volumes["image"]), orientation="SPL") for one in train])
        learnt = read_model(house.models.folder(trained.model)).plan
    assert landmarks(learnt.channels[0].restoration) == landmarks(by_hand.to_document())
    assert landmarks(prepared.dataset.steps["image"]) == landmarks(by_hand.to_document())
    assert f"nyul learnt from the {len(train)} cases to learn from" in learnt.reasons["restoration.steps (image)"]
    others = tuple(one.id for side in ("validation", "test") for one in version.on_side(side))
    assert len(others) == len(version.entries) - len(train) > 1
    for name, altered in (("others", others), ("one", (train[0].id,))):
        store = tmp_path / name
        pipeline.ingest(
            as_mr(write_cohort(tmp_path / f"{name}-in", count=12), altered=altered), dataset="b", store=store
        )
        again = pipeline.prepare("b", set_=(STEPS,), store=store).dataset
        assert {one.id for one in again.on_side("train")} == {one.id for one in train}
        assert (landmarks(again.steps["image"]) == landmarks(by_hand.to_document())) is (name == "others")


def test_everything_after_the_steps_sees_restored_images(place: Path, trained: Any) -> None:
    with open_store(place) as house:
        model = read_model(house.models.folder(trained.model))
        receipt = house.receipts.get(trained.receipt)
        folder = house.runs.path(trained.run)
    (channel,) = model.plan.channels
    assert [line["step"] for line in channel.restoration] == ["crop_body", "median", "nyul"]
    assert receipt.facts["restoration"] == {"image": list(channel.restoration)}
    said = json.loads((folder / "restoration.json").read_text())["cases"]
    assert len(said) == model.description.facts["patients learnt from"]
    assert all([name for name, _ in one["image"]] == ["crop_body", "median", "nyul"] for one in said.values())
    assert f"run:{folder.name}/restoration.json" in {item.name for item in receipt.outputs}
    assert not (folder / "prepared").exists()
    card = (model.folder / "card.md").read_text()
    assert "restores them by itself" in card
    assert "- image: crop_body, median, nyul" in card
    assert "restoration.steps (image)" in card


def test_reading_takes_the_steps_and_says_what_they_did(place: Path, trained: Any, tmp_path: Path) -> None:
    path = next(iter(sorted((place.parent / "bodies" / "imagesTr").iterdir())))
    found = pipeline.predict(trained.model, path, out=tmp_path / "out", store=place).prediction
    volume = read_nifti(path)
    mask = read_nifti_mask(tmp_path / "out" / "mask.nii.gz", table=found.table)
    mask.require_grid_of(volume)
    told = found.input["restoration"]["image"]
    assert [one["step"] for one in told] == ["crop_body", "median", "nyul"]
    assert told[0]["rows"] < volume.shape[1]
    with open_store(place) as house:
        receipt = house.receipts.get(house.receipts.maker(found.files["mask.nii.gz"]) or "")
    assert receipt.facts["said"]["image"] == told
    assert landmarks(receipt.facts["restoration"]["image"])
    timed = pipeline.bench(trained.model, path, rounds=1, runtimes=("torch",), store=place).to_json()
    assert "restoration" in {stage["stage"] for stage in timed["runtimes"][0]["stages"]}


def test_a_prepared_version_leaves_the_old_one_as_it_was(place: Path, prepared: Any) -> None:
    with open_store(place) as house:
        old, new = house.datasets.get("bodies"), house.datasets.get("bodies-even")
        assert (old.prepared, old.split) == ({}, new.split)
        assert new.prepared["image"].unit == "1"
        chain = Chain.from_document(new.steps["image"])
        entry = new.entries[0]
        before, after = house.case(old, old.entry(entry.id)), house.case(new, entry)
        way = chain.restore(lay(before.volumes["image"], orientation="SPL"))
        assert np.array_equal(after.volumes["image"].oriented("SPL").voxels, way.volume.voxels)
        laid = way.take_along(before.annotations[0].mask.oriented("SPL"))
        assert np.array_equal(after.annotations[0].mask.oriented("SPL").labels, laid.labels)
        assert [house.receipts.get(prepared.receipt).inputs[0].digest] == [old.id]
    document = prepared.to_json()
    assert document["origin"] == old.id
    assert [one["step"] for one in document["changed"]] == ["crop_body", "median", "nyul"]
    assert document["lost"] == []
    assert [step for step, _ in pipeline.verify("bodies-even", store=place).links] == ["prepare", "ingest"]


def test_a_prepared_version_says_so_wherever_it_is_shown(place: Path, prepared: Any, tmp_path: Path) -> None:
    text = prepared.page.read_text(encoding="utf-8")
    assert text.count("data:image/png") == 2
    for told in ("Before and after: image", "bend_share", "No case has lost a structure", prepared.dataset.id):
        assert told in text
    with pytest.raises(NotFoundError, match="fr"):
        pipeline.prepare("bodies", dataset="x", set_=(STEPS,), page=tmp_path / "x.html", lang="fr", store=place)
    shown = pipeline.show_kept("datasets", "bodies-even", store=place).to_json()["thing"]
    assert shown["restoration"] == {"image": ["crop_body", "median", "nyul"]}
    (note,) = pipeline.export_dataset("bodies-even", tmp_path / "out", as_="nnunet", store=place).notes[-1:]
    assert "prepared by crop_body, median, nyul" in note


def test_the_command_says_what_each_step_changed(place: Path) -> None:
    steps = 'restoration.steps=[{step="percentiles", within="all", low=0, high=99}]'
    told = isocenter("prepare", "bodies", "--dataset", "bodies-scaled", "--set", steps, "--store", place).out
    assert "image: percentiles  low 0" in told
    assert re.search(r"clipped_share 0\.01 \[0\.009\d+, 0\.01\]|clipped_share 0\.009", told), told
    assert "Data set bodies-scaled: 12 cases" in told
    refused = isocenter("prepare", "bodies", "--set", "restoration.steps=n44", "--store", place, code=4)
    assert "Did you mean 'n4'" in refused.err


def test_a_structure_that_a_crop_cuts_off_is_told(place: Path) -> None:
    steps = 'restoration.steps=[{step="crop_centre", size_mm=[8, 400, 400]}]'
    found = pipeline.prepare("bodies", dataset="bodies-thin", set_=(steps,), store=place)
    with open_store(place) as house:
        version, receipt = house.datasets.get("bodies"), house.receipts.get(found.receipt)
        thin = {one.id: house.case(found.dataset, one) for one in found.dataset.entries}
        whole = {one.id: house.case(version, one) for one in version.entries}
    gone = {
        name for name, case in thin.items()
        if set(case.annotations[0].mask.present) != set(whole[name].annotations[0].mask.present)
    }  # fmt: skip
    assert set(found.lost) == gone != set()
    assert not receipt.checks[0].held


def test_a_model_of_a_prepared_version_reads_images_as_they_come(place: Path, prepared: Any, trained: Any) -> None:
    taught = pipeline.train(data="bodies-even", set_=SMALL, store=place)
    with open_store(place) as house:
        one, other = (read_model(house.models.folder(run.model)).plan for run in (trained, taught))
    assert one.channels == other.channels, "the same steps, the same values after them"
    raw = pipeline.evaluate(taught.model, data="bodies", store=place)
    own = pipeline.evaluate(taught.model, data="bodies-even", store=place)
    assert own.cases < raw.cases
    # the crop has cut nothing off, so the very voxels are compared
    assert set(map(_dice, own.rows)) - {None} <= set(map(_dice, raw.rows))
    assert any(row["value"] for row in own.rows if row["measure"] == "dice")
    with pytest.raises(PlanError, match="learnt from its training side"):
        pipeline.plan(data="bodies-even", set_=(*SMALL, "training.fold=0"), store=place)


def test_other_steps_or_none_are_refused_of_a_prepared_version(place: Path, prepared: Any, trained: Any) -> None:
    other = pipeline.prepare("bodies", dataset="bodies-unit", set_=("restoration.steps=unit",), store=place)
    with pytest.raises(InputError, match="prepared by unit"):
        pipeline.evaluate(trained.model, data=other.dataset.id, store=place)
    twice = pipeline.prepare("bodies-unit", set_=("restoration.steps=symmetric",), store=place).dataset
    assert [line["step"] for line in twice.steps["image"]] == ["unit", "symmetric"]
    assert twice.name == "bodies-unit-prepared"


@pytest.mark.parametrize(
    ("steps", "error", "words"),
    [
        ('["curvatur"]', NotFoundError, "Did you mean 'curvature'"),
        ('[{step="n4", shrnk=2}]', RecipeError, "Did you mean 'shrink'"),
        ('[{step="n4", shrink="much"}]', RecipeError, "cannot take shrink = 'much'"),
        ('[{step="n4", volumes=["imge"]}]', RecipeError, "Did you mean 'image'"),
        ("[]", RecipeError, "asks for nothing"),
        ('[{name="n4"}]', RecipeError, "Line 1 of restoration.steps names no step"),
        ("[3]", RecipeError, "neither a table"),
        ('[{step="window", low=50000, high=60000}]', InputError, r"Case body_\d+: .*outside of the window"),
    ],
)
def test_steps_that_cannot_be_are_refused_and_leave_nothing(
    place: Path, steps: str, error: type[Exception], words: str
) -> None:
    with open_store(place) as house:
        before = _blobs(house)
    with pytest.raises(error, match=words):
        pipeline.prepare("bodies", set_=(f"restoration.steps={steps}",), store=place)
    with open_store(place) as house:
        assert _blobs(house) == before


def _dice(row: Any) -> tuple[object, ...] | None:
    return tuple(row.values()) if row["measure"] == "dice" else None


def _blobs(house: Store) -> set[str]:
    return {path.name for path in Path(house.place, "blobs").rglob("*") if path.is_file()}


def test_a_setting_switches_steps_off_and_the_recipe_s_id_knows_it(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('[[restoration.steps]]\nstep = "n4"\nlevels = 2\n[[restoration.steps]]\nstep = "nyul"\n')
    recipe = read_recipe(path)
    assert [dict(line) for line in recipe.restoration.steps] == [{"step": "n4", "levels": 2}, {"step": "nyul"}]
    off = read_recipe(path, settings=["restoration.steps=[]"])
    assert off == Recipe()
    assert off.id != recipe.id
    assert read_recipe(None, settings=['restoration.steps=["n4"]']).restoration.steps == ({"step": "n4"},)


def test_each_role_has_its_own_steps_and_its_own_scale(place: Path) -> None:
    with open_store(place) as house:
        entries = house.datasets.get("bodies").entries[:4]
        t1 = [house.get_volume(one.volumes["image"]) for one in entries]
    flair = [replace(one, voxels=one.voxels**1.5) for one in t1]
    recipe = read_recipe(None, settings=['restoration.steps=[{step="median", volumes=["t1"]}, "nyul"]'])
    chains = asked_chains(recipe, ["t1", "flair"])
    assert {role: [step.name for step in one.steps] for role, one in chains.items()} == {
        "t1": ["median", "nyul"],
        "flair": ["nyul"],
    }
    fitted = fit_chains(chains, {"t1": t1, "flair": flair}.__getitem__)
    assert landmarks(fitted["t1"].to_document()) != landmarks(fitted["flair"].to_document())
    assert fitted["flair"] == Chain.from_document([{"step": "nyul"}]).fit(flair)
    with pytest.raises(RecipeError, match="speaks of 't1'"):
        asked_chains(recipe, ["t2", "flair"])


def test_a_volume_is_restored_once_and_kept_to_the_bit(place: Path, tmp_path: Path) -> None:
    with open_store(place) as house:
        version = house.datasets.get("bodies")
        case = house.case(version, version.entries[0])
    chains = {"image": Chain.from_document([{"step": "crop_body", "margin_mm": 4.0}, {"step": "curvature"}])}
    first = Restorer(chains, folder=tmp_path).restored(case)
    kept = Restorer(chains, folder=tmp_path)
    # nothing could be made of this one: what comes must be what was kept
    empty = replace(case.volumes["image"], voxels=np.zeros_like(case.volumes["image"].voxels))
    again = kept.restored(replace(case, volumes={"image": empty}))
    assert np.array_equal(again.volumes["image"].voxels, first.volumes["image"].voxels)
    assert np.array_equal(again.annotations[0].mask.labels, first.annotations[0].mask.labels)
    fresh = Restorer(chains).restored(case)
    assert np.array_equal(fresh.volumes["image"].voxels, first.volumes["image"].voxels)
    with pytest.raises(InputError, match=f"Case {case.id}: "):
        Restorer(chains).restored(replace(case, volumes={"image": empty}))


def test_a_channel_says_the_unit_that_its_images_come_in(place: Path, trained: Any) -> None:
    with open_store(place) as house:
        plan = read_model(house.models.folder(trained.model)).plan
        version = house.datasets.get("bodies")
        case = house.case(version, version.entries[0])
    ct = replace(case.volumes["image"], unit="HU", modality="CT")
    restorer = Restorer({"image": Chain.from_document([{"step": "window", "low": -50.0, "high": 2000.0}])})
    assert restorer.restored(replace(case, volumes={"image": ct})).volumes["image"].unit == "1"
    asked = Asked(chains=restorer.chains, before={}, cases=1)
    assert with_chains(plan, restorer, asked=asked).channels[0].unit == "HU", "NIfTI files are read in it"
    with pytest.raises(InputError, match="that of other cases CT in HU"):
        restorer.restored(case)
