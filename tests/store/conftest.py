"""A store with one of everything, sealed step by step as the pipeline does it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from isocenter.case import Dataset, Entry, Outline
from isocenter.image import Affine, LabelTable, Mask, Volume
from isocenter.models.model import Description, write_model
from isocenter.recipe import Channel, Plan, Scaling, Variation
from isocenter.result import Receipt
from isocenter.result.receipt import Item
from isocenter.store import Store, create

AT = "2026-11-21T01:00:00Z"
TABLE = LabelTable.of("head", "tail")


def a_volume(seed: int = 0, *, dtype: str = "<i2") -> Volume:
    voxels = np.random.default_rng(seed).integers(-100, 100, size=(3, 4, 5)).astype(dtype)
    matrix = np.diag([2.0, 0.7, 0.7, 1.0])
    return Volume(voxels=voxels, affine=Affine(matrix=matrix), unit="HU", modality="CT")


def a_mask(volume: Volume) -> Mask:
    return Mask(labels=(volume.voxels > 50).astype(np.uint8), affine=volume.affine, table=TABLE)


def a_dataset(store: Store, *, name: str = "bodies", cases: int = 2, first: int = 0) -> Dataset:
    """Put cases into a store and return the data set of them, not saved yet."""
    entries = []
    for number in range(first, first + cases):
        volume = a_volume(number)
        outline = Outline(reader="reader", digest=store.put_mask(a_mask(volume)), present=(1,))
        volumes = {"image": store.put_volume(volume)}
        entries.append(Entry(id=f"case{number}", patient=f"p{number}", volumes=volumes, outlines=(outline,)))
    return Dataset(name=name, entries=tuple(entries), table=TABLE, split=None)


def a_receipt(step: str, *, inputs: tuple[Item, ...] = (), outputs: tuple[Item, ...] = ()) -> Receipt:
    return Receipt(step=step, inputs=inputs, outputs=outputs, version="0", who="tester", at=AT)


def a_plan(dataset: str) -> Plan:
    scaling = Scaling(kind="zscore", low=0.5, high=99.5)
    return Plan(
        channels=(Channel(role="image", scaling=scaling),), orientation="SPL",
        spacing_mm=(1.0, 1.0, 1.0), network="unet", width=8, depth=3, patch=(32, 32, 32), batch=2, steps=10,
        minutes=0.0, rate=1e-3, weight_decay=0.01, average=0.99, precision="float32", foreground=0.5,
        variation=Variation(), overlap=0.5, flips=(), fold=None, seed=0, recipe="r" * 16, dataset=dataset,
    )  # fmt: skip


def a_model_folder(folder: Path, *, dataset: str) -> Path:
    """Write a model whose weights are eight bytes; nothing here reads them."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    weights = folder.with_name("weights.safetensors")
    weights.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    described = Description(plan=a_plan(dataset), table=TABLE, dataset=dataset)
    write_model(folder, weights=weights, description=described, card="# A card\n")
    return folder


def file_items(folder: Path) -> tuple[Item, ...]:
    """Return the items of the files that lie directly in a folder."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return tuple(Item(name=f"file:{p.name}", digest=hashlib.sha256(p.read_bytes()).hexdigest()) for p in paths)


@dataclass(frozen=True)
class World:
    """A store and the receipts of what was done in it, and the folder that was handed on."""

    store: Store
    root: Path
    dataset: str
    model: str
    evaluation: str
    run: str
    ingest: str
    train: str
    evaluate: str
    predict: str
    report: str
    out: Path


def make_world(root: Path, *, place: str = "", catalogue: str = "") -> World:
    """Ingest, train, evaluate, predict and report, without any of the crafts: only what the store sees of them."""
    store = create(place or root / "store", catalogue=catalogue)
    dataset = a_dataset(store)
    source = Item(name="instance:1.2.3", digest="0" * 64)
    ingest = store.receipts.seal(
        a_receipt("ingest", inputs=(source,), outputs=(Item(name="dataset:bodies", digest=dataset.id),))
    )
    store.datasets.save(dataset, at=AT)
    learnt = Item(name="dataset:bodies", digest=dataset.id, receipt=ingest)
    run = store.runs.folder("run0001", dataset=dataset.id, recipe="r" * 16, at=AT)
    (run / "run.html").write_bytes(b"<p>curves</p>")
    page = Item(name="run:run0001/run.html", digest=hashlib.sha256(b"<p>curves</p>").hexdigest())
    folder = a_model_folder(run / "model", dataset=dataset.id)
    model = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    train = store.receipts.seal(
        a_receipt("train", inputs=(learnt,), outputs=(Item(name="model:run0001", digest=model), page))
    )
    store.models.add(folder, run="run0001", at=AT)
    trained = Item(name="model:run0001", digest=model, receipt=train)
    evaluation = store.evaluations.put({"dice": 0.9})
    evaluate = store.receipts.seal(
        a_receipt("evaluate", inputs=(trained, learnt), outputs=(Item(name="evaluation:bodies", digest=evaluation),))
    )
    store.evaluations.save(evaluation, model=model, dataset=dataset.id, at=AT)
    out = root / "out"
    predict, report = hand_on(store, out, trained, Item(name="evaluation:bodies", digest=evaluation, receipt=evaluate))
    return World(
        store=store, root=root, dataset=dataset.id, model=model, evaluation=evaluation, run="run0001", ingest=ingest,
        train=train, evaluate=evaluate, predict=predict, report=report, out=out,
    )  # fmt: skip


def hand_on(store: Store, out: Path, trained: Item, evaluated: Item) -> tuple[str, str]:
    """Write a folder as predict and report do, and return the digests of their receipts."""
    out.mkdir()
    (out / "mask.nii.gz").write_bytes(b"labels")
    (out / "prediction.json").write_text(json.dumps({"receipts": list(store.receipts.chain(trained.receipt))}))
    files = file_items(out)
    source = Item(name="instance:9.9", digest="9" * 64)
    predict = store.receipts.seal(a_receipt("predict", inputs=(trained, source), outputs=files))
    store.receipts.export(predict, out)
    read = tuple(Item(name=item.name, digest=item.digest, receipt=predict) for item in files)
    (out / "report.en.html").write_text("<p>4.2 ml</p>")
    told = tuple(item for item in file_items(out) if item.name.endswith("html"))
    report = store.receipts.seal(a_receipt("report", inputs=(*read, evaluated), outputs=told))
    store.receipts.export(report, out)
    return predict, report


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world of its own, to be spoilt."""
    return make_world(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world that nobody spoils, or that whoever changes it mends."""
    return make_world(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    return create(tmp_path / "store")
