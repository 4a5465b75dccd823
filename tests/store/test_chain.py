"""A chain that holds is walked back to its sources; one changed byte anywhere ends the walk at the right link."""

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isocenter.errors import InputError, IsocenterError, NotFoundError, SealError
from isocenter.result.receipt import Item
from isocenter.store import create, open_store, walk
from tests.store.conftest import AT, World, a_dataset, a_receipt, file_items, make_world


def steps(world: World, thing: object, *, with_store: bool = True) -> list[str]:
    walked = walk(thing if isinstance(thing, Path) else str(thing), store=world.store if with_store else None)
    return [link.step for link in walked.links]


def test_a_walk_goes_back_from_the_report_to_the_images(whole: World) -> None:
    assert steps(whole, whole.out) == ["report", "predict", "evaluate", "train", "ingest"]
    assert steps(whole, whole.out / "report.en.html") == ["report", "predict", "evaluate", "train", "ingest"]
    assert steps(whole, whole.out / "prediction.json") == ["predict", "train", "ingest"]


def test_a_walk_starts_from_whatever_the_store_knows(whole: World) -> None:
    assert steps(whole, "bodies") == steps(whole, whole.dataset) == steps(whole, whole.dataset[:8]) == ["ingest"]
    assert steps(whole, whole.model) == steps(whole, "latest") == steps(whole, whole.run) == ["train", "ingest"]
    assert steps(whole, whole.store.models.folder("latest")) == ["train", "ingest"]
    assert steps(whole, whole.evaluate[:12]) == ["evaluate", "train", "ingest"]


def test_a_stranger_checks_a_folder_without_the_store(whole: World) -> None:
    assert steps(whole, whole.out, with_store=False) == ["report", "predict", "evaluate", "train", "ingest"]
    walked = walk(whole.out)
    assert walked.key == whole.store.keys.public.id
    assert not walked.is_own
    assert walk(whole.out, store=whole.store).is_own


def test_a_link_says_how_much_was_looked_at(whole: World) -> None:
    links = {link.step: link for link in walk(whole.out, store=whole.store).links}
    assert links["ingest"].count == 1 + 4  # the version, two volumes, two masks
    assert links["train"].count == 4 + 1  # three files and their manifest, and the run's page
    assert links["predict"].count == 2
    assert "1 sources" in links["ingest"].says


def test_another_store_checks_what_it_did_not_make(whole: World, tmp_path: Path) -> None:
    with create(tmp_path / "elsewhere") as elsewhere:
        walked = walk(whole.out, store=elsewhere)
    assert not walked.is_own
    assert len(walked.links) == 5


def test_a_key_that_was_said_aloud_is_held_against_the_signer(whole: World) -> None:
    key = whole.store.keys.public.id
    assert walk(whole.out, key=key[:32].upper()).key == key
    with pytest.raises(SealError, match="not by the one that was named"):
        walk(whole.out, key="0" * 64)
    with pytest.raises(InputError, match="prove nothing"):
        walk(whole.out, key=key[:16])


def everything(world: World) -> list[Path]:
    """Return every file whose bytes somebody relies on: all but locks, the private keys and the catalogue."""
    store = Path(world.store.place)
    kept = [p for part in ("blobs", "models", "receipts") for p in (store / part).rglob("*") if p.is_file()]
    kept += [path for path in world.out.rglob("*") if path.is_file()]
    return sorted([*kept, store / "runs" / world.run / "run.html"])


def walk_everything(world: World) -> None:
    with open_store(world.store.place) as store:
        for thing in (world.out, world.model, "bodies", world.evaluate, world.report):
            walk(thing, store=store)


def test_everything_holds_until_it_is_touched(whole: World) -> None:
    walk_everything(whole)
    assert len(everything(whole)) >= 5 + 1 + 4 + 5 + 3 + 6 + 1  # so that the next test flips bytes in all of it


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pick=st.integers(0, 10**6), place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_any_changed_bit_of_anything_is_found(whole: World, pick: int, place: int, bit: int) -> None:
    paths = everything(whole)
    path = paths[pick % len(paths)]
    sound = path.read_bytes()
    changed = bytearray(sound)
    changed[place % len(sound)] ^= 1 << bit
    path.write_bytes(bytes(changed))
    try:
        with pytest.raises(SealError):
            walk_everything(whole)
    finally:
        path.write_bytes(sound)


def test_every_file_is_missed_when_it_is_gone(whole: World) -> None:
    for path in everything(whole):
        kept = whole.root / "kept-aside"
        path.rename(kept)
        try:
            with pytest.raises(IsocenterError):
                walk_everything(whole)
        finally:
            kept.rename(path)


def test_the_link_that_does_not_hold_is_named(world: World) -> None:
    blob = next(
        Path(world.store.place, "blobs").rglob(world.store.datasets.get("bodies").entries[0].volumes["image"][2:])
    )
    blob.write_bytes(blob.read_bytes() + b"x")
    with pytest.raises(SealError, match=r"Link 5 \(ingest, receipt .*Blob"):
        walk(world.out, store=world.store)


def test_a_file_that_was_added_to_a_folder_is_found(world: World) -> None:
    (world.out / "mask.seg.dcm").write_bytes(b"somebody else's")
    with pytest.raises(SealError, match=r"mask\.seg\.dcm was added"):
        walk(world.out)


def test_a_receipt_that_was_added_to_a_folder_is_found(world: World, tmp_path: Path) -> None:
    with create(tmp_path / "forger") as forger:
        digest = forger.receipts.seal(a_receipt("predict", outputs=file_items(world.out)))
        shutil.copy(Path(forger.place, "receipts", f"{digest}.json"), world.out / "receipts")
    with pytest.raises(SealError, match="was signed by key"):
        walk(world.out)


def test_a_report_written_again_is_the_one_that_counts(world: World) -> None:
    (world.out / "report.en.html").write_text("<p>4.3 ml</p>")
    item = next(item for item in file_items(world.out) if item.name == "file:report.en.html")
    read = Item(name="file:prediction.json", digest=file_items(world.out)[1].digest, receipt=world.predict)
    again = world.store.receipts.seal(a_receipt("report", inputs=(read,), outputs=(item,)))
    world.store.receipts.export(again, world.out)
    assert walk(world.out / "report.en.html").links[0].receipt == again
    assert walk(world.out, store=world.store)


def test_a_receipt_cannot_claim_what_another_step_did_not_make(world: World) -> None:
    claimed = Item(name="model:run0001", digest="a" * 64, receipt=world.train)
    digest = world.store.receipts.seal(a_receipt("evaluate", inputs=(claimed,)))
    with pytest.raises(SealError, match="knows no such thing"):
        walk(digest, store=world.store)


def test_a_name_that_the_catalogue_changed_is_found(world: World) -> None:
    dataset = world.store.datasets.get("bodies")
    world.store.datasets.save(replace(dataset, name="others"), at=AT)
    with pytest.raises(SealError, match="its receipt says dataset:bodies"):
        walk("others", store=world.store)


def test_a_catalogue_that_leads_to_another_receipt_is_found(world: World) -> None:
    with sqlite3.connect(Path(world.store.place, "catalogue.db")) as tables:
        tables.execute("UPDATE mentions SET receipt = ? WHERE digest = ?", (world.ingest, world.model))
    tables.close()
    with pytest.raises(SealError, match="it does not"):
        walk(world.model, store=world.store)


def test_what_was_never_sealed_has_no_chain(world: World) -> None:
    world.store.datasets.save(a_dataset(world.store, name="loose", first=7), at=AT)
    with pytest.raises(SealError, match="No receipt speaks of data set 'loose'"):
        walk("loose", store=world.store)


def test_what_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        walk("nobody", store=world.store)
    with pytest.raises(NotFoundError):
        walk("nobody")


def test_a_removal_with_a_receipt_leaves_the_chain_whole(world: World) -> None:
    gone = Item(name="dataset:bodies", digest=world.dataset, receipt=world.ingest)
    world.store.receipts.seal(a_receipt("remove", inputs=(gone,)))
    with world.store.alone():
        world.store.datasets.remove("bodies")
    link = walk(world.model, store=world.store).links[-1]
    assert (link.step, link.count) == ("ingest", 0)
    assert "not kept here" in link.says


def test_a_removal_without_a_receipt_breaks_the_chain(world: World) -> None:
    with world.store.alone():
        world.store.datasets.remove("bodies")
    with pytest.raises(SealError, match="no receipt speaks of its removal"):
        walk(world.model, store=world.store)
    with pytest.raises(SealError, match="no receipt speaks of its removal"):
        walk(world.out, store=world.store)


def test_a_run_that_was_removed_by_receipt_leaves_its_models_chain_whole(world: World) -> None:
    with world.store.alone():
        world.store.runs.remove(world.run)
    with pytest.raises(SealError, match="no receipt speaks of its removal"):
        walk(world.model, store=world.store)
    world.store.receipts.seal(a_receipt("remove", inputs=(Item(name="run:run0001", digest=world.run),)))
    assert [link.count for link in walk(world.model, store=world.store).links] == [4, 5]


def test_a_prediction_whose_receipts_are_gone_is_told_apart_from_nothing(world: World) -> None:
    shutil.rmtree(world.out / "receipts")
    for store in (None, world.store):
        with pytest.raises(SealError, match="without its receipts"):
            walk(world.out, store=store)


def test_another_store_cannot_add_to_a_sealed_folder(world: World, tmp_path: Path) -> None:
    with create(tmp_path / "other") as other:
        digest = other.receipts.seal(a_receipt("report"))
        with pytest.raises(SealError, match="another store's key"):
            other.receipts.export(digest, world.out)
    assert walk(world.out)


def test_a_receipt_in_anothers_place_is_found(world: World) -> None:
    receipts = Path(world.store.place, "receipts")
    shutil.copy(receipts / f"{world.ingest}.json", receipts / f"{world.train}.json")
    with pytest.raises(SealError, match=f"lies receipt {world.ingest[:16]}"):
        walk(world.model, store=world.store)


def test_two_worlds_share_nothing_that_is_secret(tmp_path: Path) -> None:
    one, two = make_world(tmp_path / "one"), make_world(tmp_path / "two")
    assert one.dataset == two.dataset  # the same contents have the same id wherever they lie
    assert one.store.keys.public.id != two.store.keys.public.id
