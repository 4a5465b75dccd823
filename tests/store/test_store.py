"""What a store keeps, how it is found, and what is not taken for a store."""

import json
import random
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import NotFoundError, SealError, StoreError
from isocenter.result import canonical
from isocenter.store import Store, create, open_store
from tests.store.conftest import AT, World, a_dataset, a_mask, a_model_folder, a_volume


def blob_paths(store: Store) -> set[Path]:
    return {path for path in Path(store.place, "blobs").rglob("*") if path.is_file()}


def test_a_case_comes_back_as_it_was_put(store: Store) -> None:
    dataset = a_dataset(store)
    store.datasets.save(dataset, at=AT)
    kept = store.datasets.get("bodies")
    assert kept == dataset
    case = store.case(kept, kept.entries[1])
    np.testing.assert_array_equal(case.volumes["image"].voxels, a_volume(1).voxels)
    np.testing.assert_array_equal(case.annotations[0].mask.labels, a_mask(a_volume(1)).labels)


def test_a_store_opened_again_holds_what_was_saved(store: Store) -> None:
    id_ = store.datasets.save(a_dataset(store), at=AT)
    store.close()
    with open_store(store.place) as again:
        assert again.datasets.get("bodies").id == id_
        assert again.id == store.id
        assert again.keys.public == store.keys.public
        assert again.keys.pseudonym("4711") == store.keys.pseudonym("4711")


def test_a_name_means_its_newest_version_and_the_older_has_its_id(store: Store) -> None:
    old = store.datasets.save(a_dataset(store, cases=1), at=AT)
    new = store.datasets.save(a_dataset(store, cases=2), at=AT)
    assert store.datasets.find("bodies").id == new
    assert store.datasets.get(old[:8]).id == old
    assert [row.cases for row in store.datasets.rows()] == [2, 1]
    store.datasets.save(store.datasets.get(old), at=AT)
    assert store.datasets.find("bodies").id == old


def test_what_is_not_there_is_named_beside_what_is(store: Store) -> None:
    store.datasets.save(a_dataset(store), at=AT)
    with pytest.raises(NotFoundError, match=r"no data set 'boddies'.*bodies"):
        store.datasets.get("boddies")
    with pytest.raises(NotFoundError, match="none yet"):
        store.models.find("latest")


def test_a_data_set_whose_volumes_are_missing_is_not_saved(store: Store, tmp_path: Path) -> None:
    with create(tmp_path / "other") as other:
        dataset = a_dataset(other)
    with pytest.raises(StoreError, match="4 volumes or masks"):
        store.datasets.save(dataset, at=AT)
    assert store.datasets.rows() == ()


def test_the_same_volume_is_kept_once(store: Store) -> None:
    assert store.put_volume(a_volume()) == store.put_volume(a_volume())
    assert len(blob_paths(store)) == 1


def test_a_removed_version_takes_along_only_what_no_other_lists(store: Store) -> None:
    store.datasets.save(a_dataset(store, cases=2), at=AT)
    store.datasets.save(a_dataset(store, name="others", cases=2, first=1), at=AT)
    before = blob_paths(store)
    with store.alone():
        store.datasets.remove("others")
    assert len(before - blob_paths(store)) == 3  # its document, its own volume, its own mask
    dataset = store.datasets.get("bodies")
    assert all(store.case(dataset, entry).volumes for entry in dataset.entries)


def test_two_names_of_one_version_are_removed_one_by_one(store: Store) -> None:
    dataset = a_dataset(store)
    store.datasets.save(dataset, at=AT)
    store.datasets.save(replace(dataset, name="same"), at=AT)
    with store.alone():
        store.datasets.remove("same")
    assert store.datasets.get("bodies") == dataset


def test_a_changed_blob_is_refused_and_mended_by_putting_it_again(store: Store) -> None:
    digest = store.put_volume(a_volume())
    (path,) = blob_paths(store)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(SealError, match="holds other bytes"):
        store.get_volume(digest)
    assert store.put_volume(a_volume()) == digest
    assert store.get_volume(digest).shape == a_volume().shape


def test_models_and_runs_are_found_by_every_name(world: World) -> None:
    store = world.store
    for name in (world.model, world.model[:6], world.run, "latest"):
        assert store.models.find(name).id == world.model
    assert store.models.folder("latest").name == world.model
    (run,) = store.runs.rows()
    assert (run.id, run.dataset, run.model) == (world.run, world.dataset, world.model)
    assert store.evaluations.of(world.model) == ((world.evaluation, {"dice": 0.9}),)


def test_a_model_is_taken_in_twice_and_mended_by_that(world: World) -> None:
    folder = world.store.models.folder("latest")
    (folder / "card.md").write_text("another card")
    again = a_model_folder(world.root / "again", dataset=world.dataset)
    assert world.store.models.add(again, run=world.run, at=AT) == world.model
    assert (folder / "card.md").read_text() == "# A card\n"
    assert len(world.store.models.rows()) == 1


def test_removed_models_and_runs_are_gone(world: World) -> None:
    store = world.store
    with store.alone():
        store.runs.remove(world.run)
        store.models.remove("latest")
    assert store.runs.rows() == store.models.rows() == ()
    assert not list(Path(store.place, "models").iterdir())
    assert not list(Path(store.place, "runs").iterdir())
    assert not list(Path(store.place, "aside").iterdir())


def test_a_store_and_its_private_keys_are_for_their_owner_alone(store: Store) -> None:
    keys = Path(store.place, "keys")
    assert stat.S_IMODE(Path(store.place).stat().st_mode) == 0o700
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    for name in ("signing.pem", "pseudonyms.key"):
        assert stat.S_IMODE((keys / name).stat().st_mode) == 0o600
    assert (keys / "public.pem").read_bytes() == store.keys.public.to_pem()


def test_nothing_secret_lies_outside_the_keys(world: World) -> None:
    store = world.store
    secrets = (store.keys.secret, store.keys.signing_pem().splitlines()[1])
    for path in (path for root in (Path(store.place), world.out) for path in root.rglob("*")):
        if path.is_file() and path.parent.name != "keys":
            assert not any(secret in path.read_bytes() for secret in secrets), path


def test_a_folder_that_is_no_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="isocenter init"):
        open_store(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    with open_store(tmp_path / "nothing", create_new=True) as made:
        assert made.datasets.rows() == ()


def test_a_folder_with_other_things_in_it_does_not_become_a_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"holds other things .*thesis\.txt"):
        create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_store_from_a_newer_version_is_left_as_it_is(store: Store) -> None:
    mark = Path(store.place, "store.json")
    for document in ({**json.loads(mark.read_bytes()), "format": 2}, {"format": 3, "shards": []}):
        mark.write_bytes(canonical(document))
        with pytest.raises(StoreError, match=r"newer isocenter .*Upgrade"):
            open_store(store.place)
        with pytest.raises(StoreError, match="newer isocenter"):
            create(store.place)
        assert mark.read_bytes() == canonical(document)


@pytest.mark.parametrize("name", ["store.json", "catalogue.db", "keys/signing.pem", "keys/pseudonyms.key"])
def test_a_damaged_store_says_so(store: Store, name: str) -> None:
    store.close()
    path = Path(store.place, name)
    path.write_bytes(b"\0garbage")
    with pytest.raises(StoreError, match="backup"):
        open_store(store.place)
    path.unlink()
    with pytest.raises(StoreError, match=r"backup|no store"):
        open_store(store.place)


def test_any_changed_byte_of_the_mark_or_the_keys_stops_the_store(store: Store) -> None:
    """A changed secret would make two patients of one; a changed public key would be handed on as ours."""
    store.close()
    rng = random.Random(0)  # noqa: S311 - which bit, not a secret
    for path in (Path(store.place, "store.json"), *Path(store.place, "keys").iterdir()):
        sound = path.read_bytes()
        for place in [*range(min(12, len(sound))), *(rng.randrange(len(sound)) for _ in range(30))]:
            changed = bytearray(sound)
            changed[place] ^= 1 << rng.randrange(8)
            path.write_bytes(bytes(changed))
            with pytest.raises(StoreError):
                open_store(store.place)
        path.write_bytes(sound)
    open_store(store.place).close()


def test_a_store_that_was_half_made_is_finished_with_the_same_keys(store: Store) -> None:
    """What SIGKILL leaves between the first file and the mark, which is written last."""
    store.close()
    Path(store.place, "store.json").unlink()
    with create(store.place) as again:
        assert again.keys.public == store.keys.public


class Reversed:
    """The weakest cipher there is: what is at rest is not what was put."""

    def lock(self, plain: bytes) -> bytes:
        return plain[::-1]

    def unlock(self, kept: bytes) -> bytes:
        return kept[::-1]


def test_a_cipher_stands_between_the_store_and_its_bytes(tmp_path: Path) -> None:
    with create(tmp_path / "store", cipher=Reversed()) as store:
        digest = store.put_volume(a_volume())
        (path,) = blob_paths(store)
        assert path.read_bytes().endswith(b"isovox01"[::-1])
        np.testing.assert_array_equal(store.get_volume(digest).voxels, a_volume().voxels)
