"""An image that shows the same as another is told where it does harm: under another patient, or another label."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from isocenter.case import Dataset, Entry, Fact, Split
from isocenter.errors import RecipeError
from isocenter.image import Affine, Volume
from isocenter.intake.issue import Issue
from isocenter.intake.quality import limits
from isocenter.intake.quality.cohort import check_cohort
from isocenter.intake.quality.copies.repeats import Image, check_repeats
from isocenter.intake.quality.figures import figures_of
from isocenter.intake.quality.limits import CHECKS, Limits, limits_of
from isocenter.recipe import Recipe, read_recipe

FIRST = {"patient": "p0", "label": "well"}


def image(seed: int, *, lighter: int = 0, case: str = "") -> Image:
    rng = np.random.default_rng(seed)
    made = gaussian_filter(rng.normal(size=(96, 96)), 3)
    voxels = (128 + 50 * made / made.std()).clip(0, 200).astype(np.uint8)[None] + np.uint8(lighter)
    volume = Volume(voxels=voxels, affine=Affine(matrix=np.eye(4)), is_planar=True)
    return Image(case or f"c{seed}", figures_of(volume, where=case or f"c{seed}", role="image"))


def entry(name: str, *, patient: str, label: str, digest: str = "") -> Entry:
    return Entry(id=name, patient=patient, volumes={"image": digest or name}, facts={"label": Fact(value=label)})


def repeated(*, patient: str, label: str, digest: str = "") -> list[Issue]:
    """Return what is said of a dozen images and a lighter copy of the first."""
    entries = [entry(f"c{k}", patient=f"p{k}", label="well" if k % 2 == 0 else "ill") for k in range(12)]
    copy = entry("copy", patient=patient, label=label, digest=digest)
    sides = {f"p{k}": "train" for k in range(12)} | {"other": "test"}
    present = {one.patient for one in (*entries, copy)}
    kept = {name: side for name, side in sides.items() if name in present}
    split = Split(sides=kept, folds={name: 0 for name, side in kept.items() if side != "test"})  # type: ignore[arg-type]
    dataset = Dataset(name="set", entries=(*entries, copy), table=None, split=split)
    images = [*(image(k) for k in range(12)), image(0, lighter=40, case="copy")]
    return [*check_repeats(dataset, images), *(one for one in check_cohort(dataset) if "copy" in one.where)]


def test_a_copy_under_another_patient_is_told_with_the_sides() -> None:
    [issue] = repeated(patient="other", label="well")
    assert (issue.check, issue.severity, issue.where) == ("near duplicates", "warn", "c0, copy")
    assert "under 2 patient(s), on the side(s) test, train" in issue.figure
    assert "labels" not in issue.figure


def test_a_copy_under_another_label_is_told_with_both() -> None:
    [issue] = repeated(patient="p0", label="ill")
    assert issue.check == "one image, two labels"
    assert "with the labels ill, well" in issue.figure


def test_a_copy_of_the_same_patient_and_label_does_no_harm() -> None:
    assert repeated(**FIRST) == []


def test_the_same_voxels_are_told_once_and_stop_under_two_labels() -> None:
    [issue] = repeated(patient="p0", label="ill", digest="c0")
    assert (issue.check, issue.severity) == ("one image, two labels", "stop")
    assert "the same voxels" in issue.figure


def test_a_recipe_says_from_which_likeness_on_and_what_stops() -> None:
    recipe = read_recipe(None, settings=['quality.stop=["near duplicates"]', "quality.near_duplicate=0.97"])
    asked = limits_of(recipe)
    assert asked.near_duplicate == 0.97
    issue = repeated(patient="other", label="well")[0]
    assert [one.severity for one in asked.graded([issue])] == ["stop"]
    assert limits_of(Recipe()) == Limits()


def test_a_check_can_be_left_but_a_stop_cannot() -> None:
    issue = Issue(check="noise", where="c", figure="", limit="", mend="", severity="warn")
    asked = Limits(leave=frozenset({"noise"}))
    assert asked.graded([issue, replace(issue, severity="stop")]) == (replace(issue, severity="stop"),)


def test_a_check_that_there_is_not_is_refused_with_what_was_meant() -> None:
    with pytest.raises(RecipeError, match="near duplicates"):
        limits_of(read_recipe(None, settings=['quality.stop=["near duplicate"]']))


def test_every_check_of_the_room_can_be_named() -> None:
    """The names stand in the code of the checks; the table and the reference page know all of them."""
    room = Path(limits.__file__).parent
    named = re.compile(r'(?:check|above|below)=\s*"([^"]+)"(?: if [^"]*else "([^"]+)")?')
    found = {name for path in room.rglob("*.py") for pair in named.findall(path.read_text("utf-8")) for name in pair}
    assert found - {"", "bytes"} <= CHECKS  # what a store has lost can be left out by no recipe
    page = (Path(__file__).parents[4] / "docs" / "reference" / "quality.md").read_text("utf-8")
    assert [name for name in sorted(CHECKS) if name not in page] == []


def test_an_empty_section_leaves_the_name_of_a_run_as_it_was() -> None:
    assert "quality" not in Recipe().to_document()


@pytest.mark.parametrize("limit", [1.5])
def test_above_one_nothing_is_looked_for(limit: float) -> None:
    dataset = Dataset(name="set", entries=(entry("c0", **FIRST),), table=None, split=None)
    assert list(check_repeats(dataset, [image(0), image(0)], limit=limit)) == []
