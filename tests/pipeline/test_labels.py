"""Readers' answers, from files and sessions to agreement, consensus, decisions and the next version."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from isocenter import pipeline
from isocenter.case import Dataset
from isocenter.dicom import load, scan
from isocenter.dicom.seg import read_seg, write_seg
from isocenter.errors import GridError, InputError, LayoutError, NotFoundError
from isocenter.image import LabelTable, Mask, Volume, read_nifti_mask, write_nifti
from isocenter.intake.labelling.interview import Question
from isocenter.intake.labelling.serve import order_of
from isocenter.learning.inference.evaluate import reference_mask
from isocenter.metrics import dice
from isocenter.pipeline import reading_cases
from isocenter.store import open_store
from isocenter.testing.phantom import Body, Header, axis_grid, write_series
from tests.dicom.test_rtstruct import drawn

SCHEMA = """
name = "masses"
[case.quality]
grades = ["poor", "fair", "good"]
[findings.mass]
[findings.mass.kind]
classes = ["solid", "cystic"]
[findings.mass.size]
unit = "mm"
least = 1
most = 100
"""
COUNT = 12
SHAPE = (6, 10, 8)
TABLE = LabelTable.of("liver", "heart")
GRID = axis_grid("SPL", shape=SHAPE, spacing_mm=(4.0, 2.0, 2.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in the MSD layout, and beside it three readers' masks, the last one careless, and answers."""
    root = tmp_path_factory.mktemp("world")
    rng, training = np.random.default_rng(0), []
    for place in ("bodies/imagesTr", "bodies/labelsTr", "masks/anna", "masks/ben", "masks/carl"):
        (root / place).mkdir(parents=True)
    for number in range(COUNT):
        name = f"body_{number:02d}.nii.gz"
        truth = np.zeros(SHAPE, dtype=np.uint8)
        truth[1:5, 2:6, 2:6], truth[2:4, 6:9, 5:8] = 1, 2
        voxels = (truth * 50 + rng.normal(0, 5, SHAPE)).astype(np.int16)
        write_nifti(Volume(voxels=voxels, affine=GRID), root / "bodies/imagesTr" / name)
        write_nifti(Mask(labels=truth, affine=GRID, table=TABLE), root / "bodies/labelsTr" / name)
        for reader, share in (("anna", 0.02), ("ben", 0.02), ("carl", 0.3)):
            labels = np.where(rng.random(SHAPE) < share, rng.integers(0, 3, SHAPE), truth).astype(np.uint8)
            write_nifti(Mask(labels=labels, affine=GRID, table=TABLE), root / f"masks/{reader}" / name)
        training.append({"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"})
    described = {"name": "Bodies", "modality": {"0": "CT"}, "labels": {"0": "background", "1": "liver", "2": "heart"}}
    (root / "bodies/dataset.json").write_text(json.dumps({**described, "training": training}))
    (root / "schema.toml").write_text(SCHEMA)
    lines = ["case,reader,finding,kind,size,quality,certainty,minutes"]
    for number in range(COUNT):
        for place, reader in enumerate(("anna", "ben", "carl")):
            there = number % 3 if reader != "carl" else (number + 1) % 3
            found = f"mass,{'solid' if number % 2 else 'cystic'},{10 + number + place}" if there else "none,,"
            lines.append(f"body_{number:02d},{reader},{found},{('poor', 'fair', 'good')[number % 3]},0.{7 + place},2")
    (root / "answers.csv").write_text("\n".join(lines))
    return root


@pytest.fixture(scope="module")
def stores(folder: Path) -> Path:
    """Return two stores: with the bodies in it, and one in which three readers have outlined and answered."""
    pipeline.ingest(folder / "bodies", dataset="bodies", store=folder / "stores" / "new")
    store = Path(shutil.copytree(folder / "stores" / "new", folder / "stores" / "read"))
    pipeline.import_labels("bodies", folder / "masks", store=store)
    pipeline.import_labels("bodies", folder / "answers.csv", schema=folder / "schema.toml", store=store)
    return folder / "stores"


@pytest.fixture
def store(stores: Path, tmp_path: Path) -> Path:
    """Return a store with the bodies in it."""
    return Path(shutil.copytree(stores / "new", tmp_path / "store"))


@pytest.fixture
def read(stores: Path, tmp_path: Path) -> Path:
    """Return a store in which three readers have outlined and answered."""
    return Path(shutil.copytree(stores / "read", tmp_path / "store"))


def version(store: Path, name: str = "bodies") -> Dataset:
    with open_store(store) as house:
        return house.datasets.get(name)


def blobs(store: Path) -> int:
    return sum(1 for path in (store / "blobs").rglob("*") if path.is_file())


def figures(document: Mapping[str, Any], *readers: str) -> dict[tuple[str, str], Any]:
    return {(one["name"], one["label"]): one for one in document["scores"] if one["readers"] == list(readers)}


def test_an_import_makes_the_next_version_and_leaves_the_old_one(folder: Path, store: Path) -> None:
    before = version(store)
    made = pipeline.import_labels("bodies", folder / "masks", store=store).to_json()
    after = version(store)
    assert (made["readers"], made["outlines"], made["cases"]) == (["anna", "ben", "carl"], 3 * COUNT, COUNT)
    assert after.id == made["dataset"] != before.id
    assert after.split == before.split
    assert [one.reader for one in after.entries[0].outlines] == ["reference", "anna", "ben", "carl"]
    assert version(store, before.id).id == before.id
    links = pipeline.verify("bodies", store=store).to_json()["links"]
    assert [link["step"] for link in links] == ["label_import", "ingest"]


def test_a_version_without_readings_keeps_the_id_that_it_had(store: Path) -> None:
    document = version(store).to_document()
    assert "schema" not in document
    assert "readings" not in document["entries"][0]


def test_a_reader_who_spoke_before_is_not_overwritten_by_accident(folder: Path, read: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "body_00.nii.gz"
    other.parent.mkdir()
    write_nifti(Mask(labels=np.ones(SHAPE, dtype=np.uint8), affine=GRID, table=TABLE), other)
    before = blobs(read)
    with pytest.raises(InputError, match="outlined case body_00 before"):
        pipeline.import_labels("bodies", other, reader="anna", store=read)
    assert blobs(read) == before
    pipeline.import_labels("bodies", other, reader="anna", over=True, store=read)
    (anna,) = [one for one in version(read).entry("body_00").outlines if one.reader == "anna"]
    assert anna.present == (1,)
    with pytest.raises(InputError, match="Nothing of this is new"):
        pipeline.import_labels("bodies", folder / "masks" / "ben", reader="ben", store=read)


def test_bad_answers_stop_the_import_and_leave_nothing(store: Path, tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for name, shape in (("body_00", SHAPE), ("body_01", (3, 10, 8)), ("nobody", SHAPE)):
        write_nifti(
            Mask(labels=np.resize(labels, shape), affine=GRID, table=TABLE), tmp_path / f"{name}.nii.gz"
        )  # fmt: skip
    before = blobs(store)
    with pytest.raises(LayoutError, match="2 problem") as told:
        pipeline.import_labels("bodies", tmp_path, reader="anna", as_="nifti", store=store)
    assert "Resample the mask" in str(told.value)
    assert "nobody" in str(told.value)
    assert blobs(store) == before


def test_files_of_one_structure_each_are_one_readers_work(store: Path, tmp_path: Path) -> None:
    for name, value, place in (("one", 1, 0), ("two", 2, 1), ("three", 2, 0)):
        labels = np.zeros(SHAPE, dtype=np.uint8)
        labels[place] = value
        (tmp_path / name / "body_00").mkdir(parents=True)
        write_nifti(
            Mask(labels=labels, affine=GRID, table=TABLE), tmp_path / name / "body_00" / f"{name}.nii.gz"
        )  # fmt: skip
    both = tmp_path / "both" / "anna" / "body_00"
    both.mkdir(parents=True)
    for name in ("one", "two"):
        shutil.copy(tmp_path / name / "body_00" / f"{name}.nii.gz", both)
    pipeline.import_labels("bodies", tmp_path / "both", store=store)
    (anna,) = [one for one in version(store).entry("body_00").outlines if one.reader == "anna"]
    assert anna.present == (1, 2)
    shutil.copy(tmp_path / "three" / "body_00" / "three.nii.gz", both)
    with pytest.raises(LayoutError, match="Two files of one reader"):
        pipeline.import_labels("bodies", tmp_path / "both", over=True, store=store)


def test_a_reading_of_another_version_of_the_image_is_refused(store: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"case,reader,quality,image\nbody_00,anna,good,{'0' * 16}")
    with pytest.raises(LayoutError, match="version of the image"):
        pipeline.import_labels("bodies", tmp_path / "a.csv", store=store)


def test_agreement_of_outlines_is_the_mean_dice_of_the_pairs(folder: Path, read: Path) -> None:
    found = pipeline.measure_agreement("bodies", rounds=200, store=read).to_json()
    names = [f"body_{number:02d}.nii.gz" for number in range(COUNT)]
    masks = {
        reader: [read_nifti_mask(folder / "masks" / reader / name, table=TABLE) for name in names]
        for reader in ("anna", "ben", "carl")
    }
    by_hand = {
        pair: np.mean([dice(a.binary("liver"), b.binary("liver")) for a, b in zip(*map(masks.get, pair), strict=True)])
        for pair in (("anna", "ben"), ("anna", "carl"), ("ben", "carl"))
    }  # type: ignore[misc]
    for pair, value in by_hand.items():
        assert figures(found, *pair)["dice", "liver"]["value"] == pytest.approx(value)
    together = figures(found)["dice", "liver"]
    assert together["value"] == pytest.approx(np.mean(list(by_hand.values())))
    assert together["low"] < together["value"] < together["high"]
    assert together["n"] == COUNT


def test_agreement_takes_the_measure_that_a_level_asks_for(read: Path) -> None:
    found = pipeline.measure_agreement("bodies", rounds=200, store=read).to_json()
    pair, every = figures(found, "anna", "ben"), figures(found)
    assert pair["kappa_quadratic", "quality"]["value"] == 1
    assert every["alpha_ordinal", "quality"]["value"] == 1
    assert pair["kappa_cohen", "mass"]["value"] == 1
    assert figures(found, "anna", "carl")["kappa_cohen", "mass"]["value"] < 0.1
    # ben measures one more than anna, always: consistent, and not in absolute agreement
    assert pair["ICC(2,1)", "mass.size"]["value"] < 1
    assert ("kappa_fleiss", "mass.kind") in every
    rows = {one["reader"]: one for one in found["readers"]}
    assert (rows["ben"]["median_seconds"], rows["ben"]["mean_certainty"]) == (120, pytest.approx(0.8))


def test_a_reader_with_one_case_and_one_who_saw_the_others_are_named(read: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("case,reader,finding,quality\nbody_00,dora,none,good")
    pipeline.import_labels("bodies", tmp_path / "a.csv", blinded=False, store=read)
    issues = pipeline.measure_agreement("bodies", rounds=50, store=read).to_json()["issues"]
    assert [(one["check"], one["where"]) for one in issues] == [("readings", "dora"), ("blinding", "dora")]


def test_staple_finds_the_careless_reader_and_comes_nearest_to_the_truth(folder: Path, read: Path) -> None:
    made = pipeline.make_consensus("bodies", by="staple", store=read).to_json()
    rows = {(one["reader"], one["label"]): one for one in made["performance"]}
    assert rows["carl", "liver"]["sensitivity"]["high"] < rows["anna", "liver"]["sensitivity"]["low"]
    dataset = version(read)
    with open_store(read) as house:
        scores = {"consensus": [], "anna": [], "ben": []}
        for entry in dataset.entries:
            case = house.case(dataset, entry)
            truth = read_nifti_mask(folder / "bodies/labelsTr" / f"{entry.id}.nii.gz", table=TABLE).binary("liver")
            masks = {one.reader: one.mask for one in case.annotations}
            assert reference_mask(case) is masks["consensus:staple"]
            scores["consensus"].append(dice(masks["consensus:staple"].binary("liver"), truth))
            for reader in ("anna", "ben"):
                scores[reader].append(dice(masks[reader].binary("liver"), truth))
        receipt = house.receipts.get(made["receipt"])
    assert np.mean(scores["consensus"]) > max(np.mean(scores["anna"]), np.mean(scores["ben"]))
    assert receipt.facts["performance"] == made["performance"]
    assert receipt.facts["readers"] == ["anna", "ben", "carl"]


def test_agreed_answers_become_facts_that_can_be_learnt(read: Path) -> None:
    pipeline.make_consensus("bodies", by="majority", store=read)
    facts = version(read).entry("body_01").facts
    assert facts["agreed-mass"].value == "yes"
    assert facts["agreed-mass.kind"].value == "solid"
    assert (facts["agreed-mass.size"].value, facts["agreed-mass.size"].unit) == (12, "mm")  # of 11, 12 and 13
    assert facts["agreed-quality"].value == "fair"


def test_weights_decide_and_must_fit_the_readers(read: Path) -> None:
    weights = {"anna": 1.0, "ben": 1.0, "carl": 5.0}
    pipeline.make_consensus("bodies", by="weighted", weights=weights, store=read)
    dataset = version(read)
    for entry in dataset.entries:
        digests = {one.reader: one.digest for one in entry.outlines}
        assert digests["consensus:weighted"] == digests["carl"]
    assert dataset.entry("body_01").facts["agreed-mass.size"].value == pytest.approx((11 + 12 + 5 * 13) / 7)
    with pytest.raises(InputError, match="Weights go with"):
        pipeline.make_consensus("bodies", by="staple", weights=weights, store=read)
    with pytest.raises(InputError, match="has said nothing"):
        pipeline.make_consensus("bodies", by="weighted", weights={"anna": 1.0, "zoe": 1.0}, store=read)


def test_a_consensus_of_two_says_so_once(read: Path) -> None:
    made = pipeline.make_consensus("bodies", by="majority", readers=("anna", "carl"), store=read).to_json()
    (told,) = [one for one in made["issues"] if one["check"] == "readers"]
    assert "every dispute is a tie" in told["mend"]
    assert int(told["where"].split(" and ")[1].split()[0]) >= COUNT - 1


def test_one_reader_makes_no_consensus_and_no_agreement(store: Path) -> None:
    for step in (pipeline.make_consensus, pipeline.measure_agreement):
        with pytest.raises(InputError, match="Two readers or more"):
            step("bodies", store=store)


def test_the_queue_has_the_worst_dispute_first_and_forgets_what_was_decided(read: Path) -> None:
    queue = pipeline.adjudicate("bodies", store=read).to_json()["queue"]
    shares = [one["share"] for one in queue]
    assert shares == sorted(shares, reverse=True)
    assert len(queue) == COUNT
    worst = queue[0]["case"]
    with pytest.raises(InputError, match="Say why"):
        pipeline.adjudicate("bodies", worst, take="anna", store=read)
    with pytest.raises(NotFoundError, match="has said nothing"):
        pipeline.adjudicate("bodies", worst, take="zoe", why="so", store=read)
    decided = pipeline.adjudicate(
        "bodies", worst, take="anna", answers=("mass=yes", "mass.kind=cystic", "mass.size=7"), why="seen again in CT",
        store=read,
    ).to_json()  # fmt: skip
    after = pipeline.adjudicate("bodies", store=read).to_json()
    assert worst not in [one["case"] for one in after["queue"]]
    (told,) = after["decisions"]
    assert (told["case"], told["why"], told["take"]) == (worst, "seen again in CT", "anna")
    assert told["who"]
    assert told["at"].endswith("Z")
    entry = version(read).entry(worst)
    assert entry.facts["agreed-mass.kind"].value == "cystic"
    digests = {one.reader: one.digest for one in entry.outlines}
    assert digests["adjudicated"] == digests["anna"]
    assert decided["receipt"]


def test_what_was_decided_stands_before_a_later_consensus(read: Path, tmp_path: Path) -> None:
    right = np.zeros(SHAPE, dtype=np.uint8)
    right[0, 0, 0] = 2
    write_nifti(Mask(labels=right, affine=GRID, table=TABLE), tmp_path / "mask.nii.gz")
    pipeline.adjudicate("bodies", "body_03", mask=tmp_path / "mask.nii.gz", why="all were wrong", store=read)
    pipeline.make_consensus("bodies", by="majority", store=read)
    dataset = version(read)
    with open_store(read) as house:
        assert np.array_equal(reference_mask(house.case(dataset, dataset.entry("body_03"))).labels, right)
    write_nifti(Mask(labels=right[:3], affine=GRID, table=TABLE), tmp_path / "small.nii.gz")
    with pytest.raises(GridError):
        pipeline.adjudicate("bodies", "body_03", mask=tmp_path / "small.nii.gz", why="so", store=read)


def test_decided_facts_are_not_lost_by_a_later_consensus(read: Path) -> None:
    pipeline.adjudicate("bodies", "body_01", take="anna", answers=("mass.kind=cystic",), why="seen", store=read)
    pipeline.make_consensus("bodies", by="majority", store=read)
    assert version(read).entry("body_01").facts["agreed-mass.kind"].value == "cystic"


class Reader:
    """A reader at the terminal: looks at what is shown, and answers by what is asked."""

    def __init__(self, *, most: int = 1000, breaks: bool = False) -> None:
        self.seen: list[str] = []
        self.asked: list[str] = []
        self._most, self._breaks = most, breaks

    def __call__(self, question: Question) -> str:
        self.asked.append(question.text)
        if question.shown not in self.seen:
            if len(self.seen) == self._most:
                if self._breaks:
                    raise OSError("the power went")
                return "stop"
            assert Path(question.shown).is_file()
            assert not list(Path(question.shown).parent.glob("*mask*"))
            self.seen.append(question.shown)
        answers: Iterator[tuple[str, str]] = iter((("Is there", "y"), ("kind", "sol"), ("size", "12"), ("sure", "80")))
        return next((answer for word, answer in answers if word in question.text), "good")


def test_a_session_asks_level_by_level_and_measures(folder: Path, store: Path, tmp_path: Path) -> None:
    reader = Reader(most=2)
    made = pipeline.read_cases(
        "bodies", tmp_path / "now", reader="dora", schema=folder / "schema.toml", ask=reader, store=store
    ).to_json()
    assert (made["cases"], made["left"]) == (2, COUNT - 2)
    assert reader.asked[:5] == [
        "case: quality?", "Is there a mass?", "mass: kind?", "mass: size?", "How sure are you?"
    ]  # fmt: skip
    assert not list((tmp_path / "now").iterdir())  # neither images nor answers are left
    (first, second) = [one for entry in version(store).entries for one in entry.readings]
    assert first.seen("mass")[0].levels == {"kind": "solid", "size": 12.0}
    assert (first.certainty, first.blinded) == (0.8, True)
    assert second.seconds is not None
    again = Reader()
    made = pipeline.read_cases("bodies", tmp_path / "now", reader="dora", ask=again, store=store).to_json()
    assert (len(again.seen), made["left"]) == (COUNT - 2, 0)


def test_a_session_that_is_cut_off_loses_one_case(folder: Path, store: Path, tmp_path: Path) -> None:
    words = {"reader": "dora", "schema": folder / "schema.toml", "store": store}
    with pytest.raises(OSError, match="the power went"):
        pipeline.read_cases("bodies", tmp_path / "now", ask=Reader(most=3, breaks=True), **words)
    assert not any(entry.readings for entry in version(store).entries)
    rest = Reader()
    pipeline.read_cases("bodies", tmp_path / "now", ask=rest, **words)
    assert len(rest.seen) == COUNT - 3
    assert all(entry.readings for entry in version(store).entries)


def test_every_reader_has_an_order_of_their_own(store: Path) -> None:
    entries = version(store).entries
    orders = {reader: [one.id for one in order_of(entries, reader=reader, seed=0)] for reader in ("anna", "ben")}
    assert orders["anna"] != orders["ben"]
    assert sorted(orders["anna"]) == sorted(orders["ben"])
    assert orders["anna"] == [one.id for one in order_of(entries[::-1], reader="anna", seed=0)]
    assert orders["anna"] != [one.id for one in order_of(entries, reader="anna", seed=1)]


def test_files_for_a_viewer_show_nobodys_answers_and_come_back(read: Path, tmp_path: Path) -> None:
    out = tmp_path / "for-dora"
    pipeline.read_cases("bodies", out, reader="dora", as_="files", store=read)
    told = "".join(path.read_text(errors="replace") for path in out.iterdir() if path.is_file())
    assert not re.search(r"\b(anna|ben|carl)\b|body_", told)  # whole words: what is sealed in it is letters by chance
    assert not read_nifti_mask(out / "001/mask.nii.gz", table=TABLE).present
    write_nifti(Mask(labels=np.ones(SHAPE, dtype=np.uint8), affine=GRID, table=TABLE), out / "001/mask.nii.gz")
    lines = (out / "answers.csv").read_text(encoding="utf-8-sig").splitlines()
    heads = lines[0].split(",")
    row = {"number": "2", "finding": "mass", "kind": "solid", "certainty": "0.5", "minutes": "3"}
    lines[2] = ",".join(row.get(head, "") for head in heads)
    (out / "answers.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match="served to another reader"):
        pipeline.read_cases("bodies", out, reader="emil", back=True, store=read)
    made = pipeline.read_cases("bodies", out, reader="dora", back=True, store=read).to_json()
    assert made["cases"] == 2
    outlined = [entry for entry in version(read).entries if any(one.reader == "dora" for one in entry.outlines)]
    answered = [one for entry in version(read).entries for one in entry.readings if one.reader == "dora" and one.asked]
    assert len(outlined) == len(answered) == 1  # an untouched mask is no outline, an empty line no answer
    assert (answered[0].seconds, answered[0].certainty, answered[0].blinded) == (180, 0.5, True)


def test_files_whose_image_was_changed_are_refused(read: Path, tmp_path: Path) -> None:
    out = tmp_path / "for-dora"
    pipeline.read_cases("bodies", out, reader="dora", as_="files", most=2, store=read)
    write_nifti(Mask(labels=np.ones(SHAPE, dtype=np.uint8), affine=GRID, table=TABLE), out / "001/mask.nii.gz")
    (out / "001/image.nii.gz").write_bytes((out / "002/image.nii.gz").read_bytes())
    before = blobs(read)
    with pytest.raises(LayoutError, match="not the image that was served"):
        pipeline.read_cases("bodies", out, reader="dora", back=True, store=read)
    assert blobs(read) == before


def test_pictures_are_served_and_taken_back_as_png(tmp_path: Path) -> None:
    rng, lines = np.random.default_rng(0), ["path,label,patient"]
    (tmp_path / "in").mkdir()
    for number in range(8):
        Image.fromarray(rng.integers(0, 255, (9, 7), dtype=np.uint8)).save(tmp_path / f"in/{number}.png")
        lines.append(f"{number}.png,{'well' if number % 2 else 'sick'},P{number}")
    (tmp_path / "in/labels.csv").write_text("\n".join(lines))
    (tmp_path / "s.toml").write_text("[findings.cell]\nseveral = true\n")
    pipeline.ingest(tmp_path / "in", dataset="cells", store=tmp_path / "store")
    words = {"reader": "anna", "schema": tmp_path / "s.toml", "store": tmp_path / "store"}
    pipeline.read_cases("cells", tmp_path / "out", as_="files", **words)
    Image.fromarray(np.eye(9, 7, dtype=np.uint8)).save(tmp_path / "out/003/mask.png")
    pipeline.read_cases("cells", tmp_path / "out", back=True, **words)
    dataset = version(tmp_path / "store", "cells")
    assert dataset.table == LabelTable.of("cell")
    assert [one.present for entry in dataset.entries for one in entry.outlines] == [(1,)]


@pytest.mark.parametrize("form", ["csv", "nifti"])
def test_what_is_exported_comes_in_again(folder: Path, read: Path, tmp_path: Path, form: str) -> None:
    pipeline.export_labels("bodies", tmp_path / "out", as_=form, store=read)
    pipeline.ingest(folder / "bodies", dataset="copy", store=tmp_path / "second")
    path = tmp_path / "out" / "labels.csv" if form == "csv" else tmp_path / "out"
    schema = tmp_path / "out" / "schema.toml" if form == "csv" else None
    pipeline.import_labels("copy", path, as_=form, schema=schema, over=True, store=tmp_path / "second")
    first, second = version(read), version(tmp_path / "second", "copy")
    for one, other in zip(first.entries, second.entries, strict=True):
        if form == "nifti":
            assert {(o.reader, o.digest) for o in one.outlines} == {(o.reader, o.digest) for o in other.outlines}
        else:
            said = [{r.reader: (r.observations, r.certainty, r.seconds) for r in e.readings} for e in (one, other)]
            assert said[0] == said[1]


HEADER = Header(name="Canary^Yellow", patient="CANARY-4711", study="canary study")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mask]:
    """Return a folder with a DICOM series, and what lies in it."""
    folder = tmp_path_factory.mktemp("study")
    grid = axis_grid("SPL", shape=(12, 32, 28), spacing_mm=(5.0, 4.0, 4.0))
    volume, _ = Body().only("liver", "heart").sample(grid, (12, 32, 28), rng=np.random.default_rng(0))
    write_series(volume, folder / "series", header=HEADER)
    loaded = load(scan(folder / "series").series[0])
    labels = np.zeros(loaded.shape, dtype=np.uint8)
    labels[2:9, 4:20, 6:18], labels[3:6, 20:25, 6:12] = 1, 2
    return folder, Mask(labels=labels, affine=loaded.affine, table=TABLE)


def test_a_segmentation_finds_its_case_and_leaves_as_one(study: tuple[Path, Mask], tmp_path: Path) -> None:
    folder, mask = study
    series = scan(folder / "series").series[0]
    (tmp_path / "in").mkdir()
    write_seg(mask, sources=series.paths, path=tmp_path / "in" / "Canary.dcm", algorithm="", version="")
    store = tmp_path / "store"
    pipeline.ingest(folder / "series", dataset="chest", store=store)
    pipeline.import_labels("chest", tmp_path / "in", reader="anna", store=store)
    dataset = version(store, "chest")
    with open_store(store) as house:
        (annotation,) = house.case(dataset, dataset.entries[0]).annotations
    assert np.array_equal(annotation.mask.labels, mask.labels)
    assert {label.value: label.name for label in annotation.mask.table} == {1: "liver", 2: "heart"}
    pipeline.export_labels("chest", tmp_path / "out", as_="seg", series=folder / "series", store=store)
    (written,) = (tmp_path / "out" / "anna").iterdir()
    assert np.array_equal(read_seg(written, volume=load(series)).labels, mask.labels)
    kept = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert b"Canary" not in kept
    assert b"CANARY" not in kept


def test_a_segmentation_of_another_examination_finds_no_case(study: tuple[Path, Mask], tmp_path: Path) -> None:
    folder, mask = study
    series = scan(folder / "series").series[0]
    write_seg(mask, sources=series.paths, path=tmp_path / "a.dcm", algorithm="", version="")
    other = Body().only("liver").sample(mask.affine, mask.shape, rng=np.random.default_rng(1))[0]
    write_series(other, tmp_path / "other", header=Header(patient="2", study="other"))
    pipeline.ingest(tmp_path / "other", dataset="chest", store=tmp_path / "store")
    with pytest.raises(LayoutError, match="does not hold"):
        pipeline.import_labels("chest", tmp_path / "a.dcm", reader="anna", store=tmp_path / "store")


def test_a_structure_set_is_filled_on_its_own_series(study: tuple[Path, Mask], tmp_path: Path) -> None:
    folder, mask = study
    square = mask.affine.to_world([(4, 5, 5), (4, 5, 9), (4, 9, 9), (4, 9, 5)])
    drawn(tmp_path / "in.dcm", {"liver": [square]})
    (tmp_path / "in.dcm").rename(tmp_path / "case.dcm")
    pipeline.ingest(folder / "series", dataset="chest", store=tmp_path / "store")
    case = version(tmp_path / "store", "chest").entries[0].id
    (tmp_path / "case.dcm").rename(tmp_path / f"{case}.dcm")  # it refers to nothing: its name must say it
    pipeline.import_labels("chest", tmp_path / f"{case}.dcm", reader="anna", store=tmp_path / "store")
    dataset = version(tmp_path / "store", "chest")
    with open_store(tmp_path / "store") as house:
        (annotation,) = house.case(dataset, dataset.entries[0]).annotations
    # the even-odd rule takes pixels with their centres inside: of 5 to 9 the upper ends fall to the neighbour
    assert int(annotation.mask.labels.sum()) == 16
    assert annotation.mask.labels[4, 5:9, 5:9].all()


def test_boxes_of_real_pictures_agree_with_themselves(shared_data: Path, tmp_path: Path) -> None:
    names = [f"BloodImage_{number:05d}" for number in (0, 1, 2, 3)]
    (tmp_path / "in").mkdir()
    lines = ["path,patient"]
    for name in names:
        path = shared_data / "bccd" / "JPEGImages" / f"{name}.jpg"
        if path.is_file():
            (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
            lines.append(f"{path.name},{name}")
            for reader in ("first", "second"):
                (tmp_path / "voc" / reader).mkdir(parents=True, exist_ok=True)
                xml = (shared_data / "bccd" / "Annotations" / f"{name}.xml").read_bytes()
                (tmp_path / "voc" / reader / f"{name}.xml").write_bytes(xml)
    (tmp_path / "in" / "labels.csv").write_text("\n".join(lines))
    store = tmp_path / "store"
    pipeline.ingest(tmp_path / "in", dataset="blood", store=store)
    pipeline.import_labels("blood", tmp_path / "voc", store=store)
    found = pipeline.measure_agreement("blood", rounds=50, store=store).to_json()
    assert figures(found)["box_f1", "RBC"]["value"] == 1
    pipeline.export_labels("blood", tmp_path / "out", as_="coco", store=store)
    pipeline.import_labels("blood", tmp_path / "out" / "coco" / "first.json", reader="third", store=store)
    for entry in version(store, "blood").entries:
        said = {one.reader: set(map(str, one.observations)) for one in entry.readings}
        assert said["first"] == said["third"]


def test_real_outlines_of_many_readers_agree_as_known(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "bu_bil_multirater" / "D1"
    names = ("B01", "B05", "B20", "B28")
    (tmp_path / "in").mkdir()
    lines = ["path,patient"]
    for name in names:
        (tmp_path / "in" / f"{name}.jpg").write_bytes((folder / "images" / f"{name}.jpg").read_bytes())
        lines.append(f"{name}.jpg,{name}")
        for reader in ("Person1_ImageJ", "Person2_Amira", "Person5_ImageJ"):
            if (folder / "raters" / reader / f"{name}.png").is_file():
                (tmp_path / "masks" / reader).mkdir(parents=True, exist_ok=True)
                content = (folder / "raters" / reader / f"{name}.png").read_bytes()
                (tmp_path / "masks" / reader / f"{name}.png").write_bytes(content)
    (tmp_path / "in" / "labels.csv").write_text("\n".join(lines))
    store = tmp_path / "store"
    pipeline.ingest(tmp_path / "in", dataset="cells", store=store)
    pipeline.import_labels("cells", tmp_path / "masks", store=store)
    found = pipeline.measure_agreement("cells", rounds=50, store=store).to_json()
    every = figures(found)["dice", "label 1"]
    # 0.85 over all pairs of the ten and all pictures, by the notes on the data set; four pictures spread around it
    assert 0.75 < every["value"] < 0.95
    assert figures(found)["hd95", "label 1"]["unit"] == "voxels"  # nobody has stated how large a pixel is
    made = pipeline.make_consensus("cells", by="staple", store=store).to_json()
    assert made["outlines"] == len(names)


def test_the_way_of_reading_must_be_known(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'files'"):
        reading_cases.read_cases("bodies", tmp_path / "o", reader="a", as_="file", store=store)
    with pytest.raises(InputError, match="--schema"):
        reading_cases.read_cases("bodies", tmp_path / "o", reader="a", store=store)
