"""A store on another filesystem with a database of its own, by configuration alone."""

from pathlib import Path

import fsspec
import pytest

from isocenter.errors import SealError, StoreError
from isocenter.models.model import read_model
from isocenter.result.receipt import Item
from isocenter.store import create, open_store, walk
from tests.store.conftest import World, a_receipt, make_world


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = f"memory://{tmp_path.name}/store"
    return make_world(tmp_path, place=place, catalogue=f"sqlite:///{tmp_path / 'catalogue.db'}")


def test_everything_works_on_a_filesystem_that_is_a_url(remote: World) -> None:
    with open_store(remote.store.place) as store:
        assert [link.step for link in walk(remote.out, store=store).links][-1] == "ingest"
        dataset = store.datasets.get("bodies")
        assert store.case(dataset, dataset.entries[0]).annotations
    assert not (remote.root / "store").exists()


def test_a_model_is_fetched_to_this_machine_when_it_is_asked_for(remote: World) -> None:
    folder = remote.store.models.folder("latest")
    assert read_model(folder).id == remote.model
    assert remote.root / "cache" in folder.parents


def test_a_changed_byte_there_is_found(remote: World) -> None:
    system = fsspec.filesystem("memory")
    root = remote.store.place.removeprefix("memory:/")
    for name in (path for path in system.find(root) if "/blobs/" in path or "/receipts/" in path or "/models/" in path):
        sound = system.cat_file(name)
        system.pipe_file(name, bytes([sound[0] ^ 1]) + sound[1:])
        with pytest.raises(SealError):
            walk(remote.report, store=remote.store)
        system.pipe_file(name, sound)


def test_removing_there_leaves_nothing_behind(remote: World) -> None:
    gone = Item(name="dataset:bodies", digest=remote.dataset)
    remote.store.receipts.seal(a_receipt("remove", inputs=(gone,)))
    with remote.store.alone():
        remote.store.datasets.remove("bodies")
        remote.store.models.remove("latest")
    left = fsspec.filesystem("memory").find(remote.store.place.removeprefix("memory:/"))
    assert not [path for path in left if "/models/" in path]
    assert len([path for path in left if "/blobs/" in path]) == 1  # the evaluation stays


def test_a_store_elsewhere_wants_a_database_and_no_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="needs a database"):
        create(f"memory://{tmp_path.name}/none")
    with pytest.raises(StoreError, match=r"\.pgpass") as refused:
        create(f"memory://{tmp_path.name}/none", catalogue="postgresql+psycopg://me:sesame@host/isocenter")
    assert "sesame" not in str(refused.value)


def test_an_unknown_filesystem_or_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nosuch"):
        create("nosuch://bucket/store", catalogue="sqlite://")
    with pytest.raises(StoreError, match="names no database"):
        create(tmp_path / "store", catalogue="nosuch://host/name")
    with pytest.raises(StoreError, match="URL is none"):
        create(tmp_path / "store", catalogue="a word")
