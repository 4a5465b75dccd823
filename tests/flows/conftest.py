"""A study with a name that must not come out, and one model trained for all flows."""

import numpy as np
import pytest

from isocenter.testing.phantom import Body, axis_grid, write_series
from tests.flows.world import CANARY, SHAPE, SPACING_MM, STEPS, World, isocenter, write_cohort


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a store with a trained model, made by the commands that a stranger types."""
    folder = tmp_path_factory.mktemp("world")
    store, cohort, study = folder / "store", write_cohort(folder / "bodies", count=14), folder / "study"
    body = Body().only("liver", "heart").varied(np.random.default_rng(99))
    volume, _ = body.sample(axis_grid("SPL", shape=SHAPE, spacing_mm=SPACING_MM), SHAPE, rng=np.random.default_rng(7))
    write_series(volume, study, header=CANARY)
    isocenter("ingest", cohort, "--dataset", "bodies", "--store", store)
    words = ("--data", "bodies", "--set", f"training.steps={STEPS}", "--set", "models.width=8", "--store", store)
    trained = isocenter("train", *words, "--json").document
    return World(folder=folder, store=store, cohort=cohort, study=study, model=trained["model"], trained=trained)
