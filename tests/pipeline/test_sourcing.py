"""The register of sources: what was stated is signed and stays, and a use that is not granted does not happen."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isocenter import pipeline
from isocenter.case import Dataset, Entry, Source
from isocenter.errors import InputError, NotFoundError, SealError, TermsError
from isocenter.pipeline.sourcing import origin_of
from isocenter.store import open_store

CASES = 16
LEARN = "tasks.kind='classification'", "tasks.target=['label']"
CONSENT = {"basis": "broad consent, form 3", "name": "Ward 3"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a new store's folder."""
    pipeline.init(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return sixteen pictures of as many patients, with a table."""
    root = tmp_path_factory.mktemp("pictures")
    rng, lines = np.random.default_rng(0), ["path,label,patient"]
    for number in range(CASES):
        Image.fromarray(rng.integers(0, 255, (8, 9), dtype=np.uint8)).save(root / f"{number}.png")
        lines.append(f"{number}.png,{'well' if number % 4 else 'sick'},P{number}")
    (root / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return root


def dataset() -> Dataset:
    return Dataset(name="d", entries=(Entry(id="a", patient="a", volumes={"image": "0" * 64}),), table=None, split=None)


def test_what_changes_is_stated_anew_and_the_rest_stays(store: Path) -> None:
    pipeline.add_source("ward-3", **CONSENT, scope=("training", "sharing"), store=store)
    told = pipeline.add_source("ward-3", withdrawn="2026-11-02", store=store).to_json()
    assert told["source"]["state"] == "withdrawn"
    assert (told["source"]["basis"], told["source"]["scope"]) == (CONSENT["basis"], ["training", "sharing"])
    assert [one["state"] for one in told["before"]] == ["in force"]


def test_stating_the_same_again_adds_nothing(store: Path) -> None:
    first, second = (pipeline.add_source("ward-3", **CONSENT, store=store).to_json() for _ in range(2))
    assert second["before"] == []
    assert first["receipt"] == second["receipt"]


def test_the_list_names_each_source_once_as_it_stands(store: Path) -> None:
    for licence in ("CC-BY-4.0", "CC0-1.0"):
        pipeline.add_source("open", licence=licence, store=store)
    pipeline.add_source("ward-3", **CONSENT, store=store)
    rows = pipeline.list_sources(store=store).to_json()["sources"]
    assert [(row["id"], row["licence"]) for row in rows] == [("open", "CC0-1.0"), ("ward-3", "")]


def test_a_source_that_nobody_noted_is_not_found(store: Path) -> None:
    with pytest.raises(NotFoundError, match="source add"):
        pipeline.show_source("ward-3", store=store)
    pipeline.add_source("ward-3", **CONSENT, store=store)
    with pytest.raises(NotFoundError, match="ward-3"):
        pipeline.show_source("ward-4", store=store)


def test_a_statement_that_was_changed_on_the_disk_is_found(store: Path) -> None:
    receipt = pipeline.add_source("ward-3", **CONSENT, expires="2026-01-01", store=store).to_json()["receipt"]
    path = store / "receipts" / f"{receipt}.json"
    envelope = json.loads(path.read_text())
    envelope["payload"] = envelope["payload"][:-8] + "AAAAAAA="
    path.chmod(0o644)
    path.write_text(json.dumps(envelope))
    with pytest.raises(SealError):
        pipeline.list_sources(store=store)


def test_a_folder_is_taken_in_with_its_source_and_the_version_says_so(store: Path, folder: Path) -> None:
    pipeline.add_source("ward-3", **CONSENT, licence="CC-BY-4.0", store=store)
    taken = pipeline.ingest(folder, dataset="d", source="ward-3", store=store)
    assert {entry.source for entry in taken.dataset.entries} == {"ward-3"}
    assert taken.dataset.source.licence == "CC-BY-4.0"
    shown = pipeline.show_kept("datasets", "d", store=store).to_json()["thing"]
    assert [(row["id"], row["state"], row["cases"]) for row in shown["sources"]] == [("ward-3", "in force", CASES)]
    held = pipeline.show_source("ward-3", store=store).to_json()["versions"]
    assert held == [{"name": "d", "id": taken.dataset.id}]
    assert any(link[0] == "source" for link in pipeline.verify("d", store=store).links)


def test_without_a_source_cases_are_marked_and_a_warning_says_so(store: Path, folder: Path) -> None:
    taken = pipeline.ingest(folder, dataset="d", store=store)
    assert [issue.figure for issue in taken.issues if issue.check == "source"] == ["source unknown"]
    shown = pipeline.show_kept("datasets", "d", store=store).to_json()["thing"]
    assert shown["sources"] == [{"id": None, "state": "source unknown", "cases": CASES}]


def test_a_version_without_a_source_keeps_the_id_that_it_always_had(store: Path, folder: Path) -> None:
    taken = pipeline.ingest(folder, dataset="d", store=store)
    assert all("source" not in entry for entry in taken.dataset.to_document()["entries"])


def test_a_store_can_refuse_folders_without_a_source(store: Path, folder: Path) -> None:
    assert pipeline.init(store, require_source=True).requires_source
    with pytest.raises(TermsError, match="--source"):
        pipeline.ingest(folder, dataset="d", store=store)
    assert pipeline.list_kept("datasets", store=store).to_json()["rows"] == []
    assert not pipeline.init(store, require_source=False).requires_source
    pipeline.ingest(folder, dataset="d", store=store)


@pytest.mark.parametrize("ended", [{"withdrawn": "2026-01-01"}, {"expires": "2026-01-01"}])
def test_what_ended_blocks_taking_in_learning_scoring_and_exporting(
    store: Path, folder: Path, tmp_path: Path, ended: dict[str, str]
) -> None:
    pipeline.add_source("ward-3", **CONSENT, store=store)
    pipeline.ingest(folder, dataset="d", source="ward-3", store=store)
    pipeline.add_source("ward-3", **ended, store=store)
    with pytest.raises(TermsError):
        pipeline.ingest(folder, dataset="again", source="ward-3", store=store)
    for step in (pipeline.plan, pipeline.train):
        with pytest.raises(TermsError, match="source add ward-3"):
            step(data="d", set_=LEARN, store=store)
    with pytest.raises(TermsError):
        pipeline.export_dataset("d", tmp_path / "out", as_="pictures", store=store)
    assert not (tmp_path / "out").exists()
    state = pipeline.show_kept("datasets", "d", store=store).to_json()["thing"]["sources"][0]["state"]
    assert state in ("withdrawn", "expired")


def test_a_use_outside_of_the_scope_is_refused(store: Path, folder: Path, tmp_path: Path) -> None:
    pipeline.add_source("ward-3", **CONSENT, scope=("training",), store=store)
    pipeline.ingest(folder, dataset="d", source="ward-3", store=store)
    with pytest.raises(TermsError, match="not sharing"):
        pipeline.export_dataset("d", tmp_path / "out", as_="pictures", store=store)


def test_an_export_lists_what_its_sources_grant(store: Path, folder: Path, tmp_path: Path) -> None:
    pipeline.add_source("ward-3", **CONSENT, terms="Name the clinic.", store=store)
    pipeline.ingest(folder, dataset="d", source="ward-3", store=store)
    pipeline.export_dataset("d", tmp_path / "out", as_="pictures", store=store)
    terms = (tmp_path / "out" / "TERMS.md").read_text(encoding="utf-8")
    assert "Name the clinic." in terms
    assert "broad consent, form 3" in terms
    listed = json.loads((tmp_path / "out" / "manifest.json").read_text())["terms"]["sources"]
    assert [(one["id"], one["cases"]) for one in listed] == [("ward-3", CASES)]
    assert pipeline.verify(tmp_path / "out").links


def test_a_folder_that_states_another_licence_is_told(store: Path) -> None:
    pipeline.add_source("ward-3", licence="proprietary", store=store)
    with open_store(store) as house:
        origin = origin_of(house, "ward-3")
        for stated, told in (("CC0-1.0", 1), ("proprietary", 0), ("", 0)):
            found = origin.issues(dataset(), stated=Source(licence=stated))
            assert len(list(found)) == told, stated


def test_nothing_on_which_use_could_stand_is_refused_and_nothing_noted(store: Path) -> None:
    with pytest.raises(InputError, match="--basis"):
        pipeline.add_source("ward-3", name="Ward 3", store=store)
    with open_store(store) as house:
        assert house.register.rows() == ()
