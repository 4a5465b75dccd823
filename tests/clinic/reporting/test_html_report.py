"""A report shows what was found, how sure that is, what it stands on, and nothing that it does not know."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from isocenter.clinic.reporting import write_html
from isocenter.errors import GridError, InputError, NotFoundError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.pages.words import say
from isocenter.result import Prediction, Score, Verdict
from isocenter.result.report import Evaluated, ModelSummary, Report

Compose = Callable[..., Report]


def digest(word: str) -> str:
    """Return the id that conftest gives to a thing."""
    return hashlib.sha256(word.encode()).hexdigest()


def page(report: Report, folder: Path, lang: str = "en") -> str:
    path = folder / f"report.{lang}.html"
    write_html(report, path, lang=lang)
    return path.read_text(encoding="utf-8")


def words(text: str) -> str:
    """Return what a reader sees: no tags, no style, single spaces."""
    body = re.sub(r"<style>.*?</style>", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_verdict_and_status_stand_before_every_finding(report: Compose, tmp_path: Path) -> None:
    seen = words(page(report(), tmp_path))
    order = [seen.index(told) for told in ("A person must review this", "No check of release", "Not for clinical use")]
    assert order == sorted(order)
    assert order[-1] < seen.index("What was found")


def test_every_volume_bears_its_interval_and_n(report: Compose, tmp_path: Path) -> None:
    body = page(report(), tmp_path).split("<tbody>")[1]
    rows = body.split("</tr>")
    seen = [words(row) for row in rows]
    assert seen[0] == "liver SCT 10200004 6.00 [5.40, 6.60] 12 30 × 20 × 10 4–5 1"
    assert "nothing outlined" in next(row for row in seen if row.startswith("nodule"))


def test_the_model_s_scores_are_those_of_the_test_set(report: Compose, tmp_path: Path) -> None:
    seen = words(page(report(), tmp_path))
    assert "8 patients that it never saw" in seen
    assert "0.870 [0.830, 0.900] n = 8" in seen
    assert "4.20 mm [2.10, 6.00] n = 8" in seen
    assert "0.910" not in seen, "validation scores are not shown where there is a test"
    assert "sex = F" in seen


def test_without_a_test_set_the_report_says_whose_scores_it_shows(report: Compose, tmp_path: Path) -> None:
    untested = report(evaluated=None)
    seen = words(page(untested, tmp_path))
    assert "patients that did not teach it" in seen
    assert "has not been evaluated" in seen
    bare = replace(untested, model=replace(untested.model, scores=()))
    assert "Nobody has measured it" in words(page(bare, tmp_path))


def test_a_test_elsewhere_is_said_to_be_elsewhere(report: Compose, evaluated: Evaluated, tmp_path: Path) -> None:
    other = replace(evaluated, dataset=digest("other"), dataset_name="another clinic", cohort="all")
    composed = report(evaluated=other)
    assert "limit.one_source" not in {remark.key for remark in composed.limits}
    assert "Another data set (another clinic): 8 patients" in words(page(composed, tmp_path))


def test_limits_speak_of_this_case(report: Compose, mask: Mask, prediction: Prediction) -> None:
    told = {remark.key: remark.values for remark in report().limits}
    assert told["limit.absent"] == {"structures": "nodule"}
    assert told["limit.few"] == {"n": 8}
    assert {"limit.overlapping", "limit.one_source", "limit.interval", "limit.this_case"} <= set(told)
    assert "limit.cut" not in told
    labels = mask.labels.copy()
    labels[0, 0, 0] = 3
    touching = Mask(labels=labels, affine=mask.affine, table=mask.table)
    told = {r.key: r.values for r in report(mask=touching, prediction=replace(prediction, volumes=())).limits}
    assert told["limit.cut"] == {"structures": "nodule"}


def test_a_series_that_was_not_regular_is_a_limit(report: Compose, prediction: Prediction, tmp_path: Path) -> None:
    tilted = replace(prediction, input={**prediction.input, "verdict": "tilted"})
    composed = report(prediction=tilted)
    assert composed.limits[0].values == {"verdict": "tilted"}
    assert "not regular (tilted)" in words(page(composed, tmp_path))
    assert "不规则（倾斜）" in words(page(composed, tmp_path, "zh"))


def test_every_number_leads_to_a_receipt(report: Compose, tmp_path: Path) -> None:
    text = page(report(), tmp_path)
    receipts = [digest("predict"), digest("train"), digest("evaluate")]
    assert f'<meta name="isocenter-receipts" content="{" ".join(receipts)}">' in text
    marks = set(re.findall(r'href="#(origin-\w+)"', text))
    assert marks == {"origin-volumes", "origin-intervals", "origin-pictures", "origin-scores"}
    assert marks <= set(re.findall(r'id="(origin-\w+)"', text))
    for thing in (digest("mask"), digest("model"), digest("data")):
        assert thing in text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_one_file_that_needs_nothing(report: Compose, tmp_path: Path, lang: str) -> None:
    text = page(report(), tmp_path, lang)
    assert [one.name for one in tmp_path.iterdir()] == [f"report.{lang}.html"]
    assert "<script" not in text
    assert not re.search(r"https?://", text)
    assert set(re.findall(r'src="(\w+:)', text)) == {"data:"}
    assert "default-src 'none'" in text


def test_the_chinese_report_speaks_chinese_throughout(report: Compose, tmp_path: Path) -> None:
    text = page(report(), tmp_path, "zh")
    assert '<html lang="zh-Hans">' in text
    seen = words(text)
    assert say("reason.unchecked", lang="zh") in seen
    # what remains in Latin letters: names of structures, data set, network, ids, units and established measures
    kept = (r"case-17|livers?|cyst|nodule|both|sex = F|SCT|MR|unet|isocenter( verify)?|sha256|UTC|Dice|HD95|AUC|DICOM|"
            r"bootstrap|mask\.nii\.gz|[0-9a-f]{16,64}|mm|ml|n\b|[RLAPHF]")  # fmt: skip
    rest = re.sub(kept, " ", seen)
    assert re.findall(r"[A-Za-z]{2,}", rest) == []


class Balance(HTMLParser):
    """Counts tags that are left open or closed twice."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "img", "br", "input", "line", "circle"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def test_tags_are_balanced(report: Compose, tmp_path: Path) -> None:
    balance = Balance()
    balance.feed(re.sub(r"<(line|circle|polyline)([^>]*)/>", r"<\1\2>", page(report(), tmp_path)))
    assert balance.faults == []
    assert balance.open == []


def test_names_and_reasons_cannot_break_the_page(report: Compose, prediction: Prediction, tmp_path: Path) -> None:
    evil = '"><script>alert(1)</script>'
    verdict = Verdict(decision="no", reasons=(evil,))
    text = page(report(prediction=replace(prediction, case=evil, verdict=verdict)), tmp_path)
    assert "<script" not in text
    assert "Not released" in text


def test_the_same_parts_give_the_same_bytes(report: Compose, tmp_path: Path) -> None:
    assert page(report(), tmp_path) == page(report(), tmp_path)


def test_nothing_found_is_a_report_too(report: Compose, volume: Volume, prediction: Prediction, tmp_path: Path) -> None:
    empty = Mask(labels=np.zeros(volume.shape, dtype=np.uint8), affine=volume.affine, table=prediction.table)
    composed = report(mask=empty, prediction=replace(prediction, volumes=()))
    assert composed.series == ()
    assert len(composed.overview) == 3
    seen = words(page(composed, tmp_path))
    assert seen.count("nothing outlined") == 5, "four structures, and the line at the top"
    assert "Through the middle of the images" in seen
    assert "This does not prove" in seen


def test_a_planar_picture_is_one_figure(report: Compose, prediction: Prediction, mask: Mask, tmp_path: Path) -> None:
    volume = Volume(voxels=np.zeros((1, 40, 50), dtype=np.uint8), affine=mask.affine, modality="DX", is_planar=True)
    labels = np.zeros((1, 40, 50), dtype=np.uint8)
    labels[0, 10:20, 10:20] = 3
    lesion = Mask(labels=labels, affine=mask.affine, table=mask.table)
    flat = {"kind": "dicom", "modality": "DX", "shape": [1, 40, 50], "spacing_mm": [None, 2.0, 2.0]}
    composed = report(volume=volume, mask=lesion, prediction=replace(prediction, volumes=(), input=flat))
    assert [one.plane for one in composed.overview] == ["picture"]
    assert composed.series == ()
    assert 'class="letter' not in page(composed, tmp_path)
    assert "Spacing of these 2 × 2 mm" in words(page(composed, tmp_path))


def test_pictures_run_from_end_to_end_in_the_plane_taken(report: Compose, mask: Mask) -> None:
    composed = report()
    assert {one.plane for one in composed.series} == {"axial"}, "5 mm slices, 2 mm within"
    assert [one.number for one in composed.series] == [10, 8, 5, 4], "from the head down, empty slices left out"
    assert all(one.structures for one in composed.series)
    turned = report(mask=mask.oriented("LPS"), volume=Volume(voxels=np.zeros((50, 40, 12), dtype=np.uint8),
                    affine=mask.oriented("LPS").affine))  # fmt: skip
    assert [one.place_mm for one in turned.series] == pytest.approx([one.place_mm for one in composed.series])


def test_the_overview_shows_the_fullest_slices(report: Compose) -> None:
    axial, coronal, sagittal = report().overview
    assert (axial.number, axial.structures) == (4, ("liver",))  # two like it; the first
    assert coronal.number in range(11, 21)
    assert sagittal.number in range(6, 21)


def test_the_overview_prefers_a_slice_that_shows_more_structures(
    report: Compose, volume: Volume, mask: Mask, prediction: Prediction
) -> None:
    labels = mask.labels.copy()
    labels[4, 30, 30] = 3
    both = Mask(labels=labels, affine=mask.affine, table=mask.table)
    axial = report(mask=both, prediction=replace(prediction, volumes=())).overview[0]
    assert (axial.number, axial.structures) == (5, ("liver", "nodule"))


def test_each_structure_s_largest_slice_is_shown(report: Compose, volume: Volume, prediction: Prediction) -> None:
    labels = np.zeros((60, 40, 50), dtype=np.uint8)
    labels[2:58, 5, 5] = 1
    labels[17, 20:30, 20:30] = 2
    labels[41:43, 10:12, 30:33] = 3
    labels[42, 12, 30] = 3
    long = Volume(voxels=np.zeros(labels.shape, dtype=np.uint8), affine=volume.affine)
    composed = report(
        volume=long,
        mask=Mask(labels=labels, affine=volume.affine, table=prediction.table),
        prediction=replace(prediction, volumes=()),
    )
    numbers = {one.number for one in composed.series}
    assert len(composed.series) == 9
    assert {3, 58, 18, 43} <= numbers


def test_a_mask_on_another_grid_is_refused(report: Compose, mask: Mask) -> None:
    moved = Mask(labels=mask.labels, affine=mask.affine.shifted((0, 5, 0)), table=mask.table)
    with pytest.raises(GridError):
        report(mask=moved)


def test_a_report_without_a_finding_is_refused(report: Compose) -> None:
    with pytest.raises(InputError, match="no finding"):
        replace(report(), findings=())


def test_a_language_that_is_not_there_is_refused(report: Compose, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="'de'"):
        write_html(report(), tmp_path / "report.html", lang="de")
    assert not list(tmp_path.iterdir())


def test_a_hippocampus_is_reported(
    report: Compose, prediction: Prediction, model: ModelSummary, shared_data: Path, tmp_path: Path
) -> None:
    """A real image and its reference outlines, on 1 mm voxels."""
    from isocenter.image import read_nifti, read_nifti_mask

    folder = shared_data / "msd_hippocampus"
    table = LabelTable.of("anterior", "posterior")
    volume = read_nifti(folder / "imagesTr" / "hippocampus_001.nii.gz", modality="MR")
    mask = read_nifti_mask(folder / "labelsTr" / "hippocampus_001.nii.gz", table=table)
    stated = tuple(
        Score(name="volume", label=name, value=mask.volume_ml(name), low=0.0, high=9.0, n=12, unit="ml")
        for name in table.structures
    )
    composed = report(volume=volume, mask=mask, prediction=replace(prediction, table=table, volumes=stated))
    assert len(composed.series) == 9
    assert len(page(composed, tmp_path)) < 3_000_000, "a page that mail still carries"
