"""A report of a whole image: what was asked and answered, how sure, what that meant before, and the picture."""

import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.clinic.reporting import compose_report, write_html, write_pdf
from isocenter.clinic.reporting.compose import _limits_of_answers
from isocenter.clinic.reporting.headline import headlines
from isocenter.clinic.reporting.wording import tell
from isocenter.errors import SealError
from isocenter.image import Affine, Volume
from isocenter.pipeline.clinic import _pages
from isocenter.result import Answer, Prediction, Score, Verdict
from isocenter.result.report import Evaluated, ModelSummary, Outcome, Report

FINDING = Answer(
    kind="classification", target="finding", value="pneumonia", probabilities={"normal": 0.127, "pneumonia": 0.873},
    point=0.412,
)  # fmt: skip
AGE = Answer(kind="regression", target="age", value=83.2, low=70.1, high=96.3, unit="a")


def digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def outcomes(*, count: int = 41, true: int = 37) -> tuple[Outcome, ...]:
    shares = {"normal": 0.15, "pneumonia": 0.85}
    return tuple(
        Outcome(
            patient=f"p{n}", target="finding", truth="pneumonia" if n < true else "normal", value="pneumonia",
            probabilities=shares,
        )
        for n in range(count)
    )  # fmt: skip


def report(*answers: Answer, known: tuple[Outcome, ...] = (), number: tuple[float, float] | None = None) -> Report:
    picture = np.random.default_rng(0).integers(0, 255, (1, 48, 64), dtype=np.uint8)
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, 1, 1))
    goal = {"number": None if number is None else {"low": number[0], "high": number[1]}}
    prediction = Prediction(
        case="case-17", model=digest("model"), dataset=digest("data"), table=None, volumes=(), answers=answers,
        verdict=Verdict(decision="review", reasons=("A reason.",)),
        plan={"dimensions": "2-D", "network": "resnet", "patch": [1, 224, 224], "spacing_mm": [1, 1, 1], "goal": goal},
        seconds={"total": 0.4}, input={"kind": "picture", "shape": [1, 48, 64], "spacing_mm": [None, None, None]},
        files={"prediction.json": digest("prediction")}, receipts=(digest("predict"),),
    )  # fmt: skip
    auc = Score(name="auc", label="pneumonia", value=0.96, low=0.93, high=0.98, n=41)
    evaluated = Evaluated(
        dataset=digest("data"), dataset_name="chests", scores=(auc,), subgroups={"sex = F": (auc,)}, outcomes=known,
        notes=("3 case(s) are of the class 'x', which the model has never seen: it answers wrongly there.",),
        receipt=digest("evaluate"),
    )  # fmt: skip
    return compose_report(
        prediction,
        volume=Volume(voxels=picture, affine=affine, modality="DX", is_planar=True, has_size=False),
        mask=None,
        model=ModelSummary(id=digest("model"), dataset=digest("data"), dataset_name="chests", receipt=digest("train")),
        evaluated=evaluated,
        at="2026-11-21T00:35:00Z",
    )


def page(composed: Report, folder: Path, lang: str = "en") -> str:
    write_html(composed, folder / f"report.{lang}.html", lang=lang)
    return (folder / f"report.{lang}.html").read_text(encoding="utf-8")


def words(text: str) -> str:
    body = re.sub(r"<style>.*?</style>", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_question_answer_probability_and_operating_point_are_told(tmp_path: Path) -> None:
    text = page(report(FINDING, known=outcomes()), tmp_path)
    seen = words(text)
    assert "Answer for the whole image: finding." in seen
    assert "finding pneumonia 0.873 pneumonia from 0.412 on" in seen
    assert text.count('class="chances"') == 1
    assert "0.127" in seen
    assert "Area under the ROC curve (AUC) higher is better" in seen
    assert "0.960 [0.930, 0.980] n = 41" in seen
    assert "by subgroup" in seen
    assert "in the evaluation: 3 case(s)" in seen.lower()


def test_the_mark_stands_at_the_operating_point(tmp_path: Path) -> None:
    text = page(report(FINDING), tmp_path)
    x = float(re.search(r'class="point" x1="([\d.]+)"', text)[1])  # type: ignore[index]
    lines = [float(one) for one in re.findall(r'class="grid" x1="([\d.]+)"', text.split('class="chances"')[1])]
    assert (x - lines[0]) / (lines[4] - lines[0]) == pytest.approx(0.412, abs=1e-3)


def test_what_similar_scores_meant_is_counted_over_test_patients(tmp_path: Path) -> None:
    text = page(report(FINDING, known=outcomes()), tmp_path)
    told = "Of 41 patients to whom the model gave pneumonia (finding) a probability from 0.8 to 0.9, 37 had it"
    assert told in words(text)
    assert "0.902 [0.775, 0.961]" in words(text)  # Wilson, 37 of 41
    assert text.count('class="meaning"') == 1
    assert "was true of 37 of the 41 patients tested" in words(text)


def test_answer_probability_and_what_it_meant_stand_at_the_top(tmp_path: Path) -> None:
    text = page(report(FINDING, known=outcomes()), tmp_path)
    top = words(text.split("<h2>")[0])
    assert "finding pneumonia probability 0.873 · of 41 patients with such a probability 37 had it" in top
    number = words(page(report(AGE, number=(18.0, 80.0)), tmp_path).split("<h2>")[0])
    assert "age 83.2 a 95 % interval [70.1, 96.3] · beyond what was learnt" in number


def test_of_many_findings_the_top_names_those_that_are_there(tmp_path: Path) -> None:
    shares = dict(zip("abcdefgh", (0.1, 0.95, 0.2, 0.3, 0.7, 0.1, 0.1, 0.1), strict=True))
    answers = [
        Answer(kind="multilabel", target=name, value="yes" if p > 0.5 else "no", probabilities={"no": 1 - p, "yes": p})
        for name, p in shares.items()
    ]
    lines = headlines(report(*answers), lang="en")
    assert [(line.name, line.told) for line in lines] == [("b", "yes"), ("e", "yes"), ("6 other findings", "no")]
    none = [replace(one, value="no") for one in answers]
    assert [(line.name, line.told) for line in headlines(report(*none), lang="en")] == [("all 8 findings", "no")]


def test_numbers_like_this_one_reach_no_further_than_patients_do(tmp_path: Path) -> None:
    known = tuple(
        Outcome(patient=f"p{n}", target="age", truth=float(20 + 2 * n), value=float(21 + 2 * n)) for n in range(30)
    )
    seen = words(page(report(AGE, known=known), tmp_path))
    assert re.search(r"for whom the model answered 59 to 83.2 \(age\)", seen)


def test_thousands_are_written_out(tmp_path: Path) -> None:
    weight = Answer(kind="regression", target="weight", value=3216.0, low=2904.0, high=3528.0, unit="g")
    known = tuple(Outcome(patient=f"p{n}", target="weight", truth=3200.0 + n, value=3216.0 + n) for n in range(12))
    seen = words(page(report(weight, known=known, number=(1504.0, 12480.0)), tmp_path))
    assert "1504 – 12480" in seen
    assert "the model answered 3216 to 3225 (weight)" in seen
    many = words(page(report(FINDING, known=outcomes(count=2400, true=1234)), tmp_path))
    assert "of 2400 patients with such a probability 1234 had it" in many
    assert "was true of 1234 of the 2400 patients" in many
    assert "e+0" not in seen + many


def test_a_number_that_was_always_off_alike_claims_no_sure_error(tmp_path: Path) -> None:
    known = tuple(Outcome(patient=f"p{n}", target="age", truth=80.0, value=81.0) for n in range(5))
    assert "it lay 1.00 a (interval not known) away from" in words(page(report(AGE, known=known), tmp_path))


def test_probabilities_that_weights_have_shifted_are_called_so() -> None:
    plain = report(FINDING)
    goal = {"number": None, "weights": [0.4, 1.6]}
    weighed = replace(plain.prediction, plan={**plain.prediction.plan, "goal": goal})
    keys = {remark.key for remark in _limits_of_answers(weighed, ())}
    assert "limit.weighted" in keys
    assert "limit.weighted" not in {remark.key for remark in plain.limits}


def test_a_mean_over_classes_is_not_called_one_of_structures(tmp_path: Path) -> None:
    composed = report(FINDING)
    scores = tuple(
        Score(name="auc", label=label, value=0.9, low=0.8, high=0.95, n=40) for label in ("a", "b", "c", "mean")
    )
    seen = words(page(replace(composed, evaluated=replace(composed.evaluated, scores=scores)), tmp_path))
    assert "over all 0.900" in seen
    assert "mean of structures" not in seen


def test_yes_no_notes_units_and_subgroups_are_said_in_chinese(tmp_path: Path) -> None:
    answer = Answer(kind="multilabel", target="结节", value="yes", probabilities={"no": 0.2, "yes": 0.8}, point=0.5)
    composed = report(answer)
    grades = Score(name="mae", label="mean", value=0.5, low=0.4, high=0.6, n=40, unit="grades")
    bands = ("age = 65 and above", "age = 18 to 39", "dose = below 3 mg", "dose = from 3 mg")
    evaluated = replace(composed.evaluated, scores=(grades,), subgroups=dict.fromkeys(bands, (grades,)))
    seen = words(page(replace(composed, evaluated=evaluated), tmp_path, "zh"))
    for told in ("结节 是 0.800 是 概率达 0.500", "评估提示：3 例属于类别", "0.50 级", "age = 65 及以上",
                 "age = 18 至 39", "dose = 低于 3 mg", "dose = 3 mg 及以上"):  # fmt: skip
        assert told in seen
    assert not re.search(r"\b(yes|grades|never seen)\b", seen)


def test_without_an_evaluation_nobody_knows_what_such_answers_meant(tmp_path: Path) -> None:
    text = page(report(FINDING), tmp_path)
    assert "Nobody knows: there is no evaluation of this model that asked the same." in words(text)
    assert 'class="meaning"' not in text


def test_a_number_bears_its_interval_its_range_and_a_warning_beyond_it(tmp_path: Path) -> None:
    composed = report(AGE, number=(18.0, 80.0))
    seen = words(page(composed, tmp_path))
    assert "age beyond what was learnt 83.2 [70.1, 96.3] 18 – 80" in seen
    assert "It is a guess." in seen
    inside = report(replace(AGE, value=75.0), number=(18.0, 80.0))
    assert "limit.beyond" not in {remark.key for remark in inside.limits}


def test_several_findings_share_a_plot_and_are_told_by_their_yes(tmp_path: Path) -> None:
    answers = [
        Answer(kind="multilabel", target=name, value="yes" if p > 0.5 else "no", point=0.5,
               probabilities={"no": 1 - p, "yes": p})
        for name, p in (("effusion", 0.91), ("nodule", 0.08))
    ]  # fmt: skip
    text = page(report(*answers), tmp_path)
    assert text.count('class="chances"') == 1
    assert "effusion yes 0.910 yes from 0.500 on nodule no 0.080 yes below 0.500" in words(text)


def test_a_report_that_could_not_be_sealed_leaves_no_page(tmp_path: Path) -> None:
    def fail() -> None:
        with _pages(report(FINDING), tmp_path, formats=("html",), lang=("en", "zh")) as pages:
            assert all(aside.exists() for aside in pages.values())
            raise SealError("The key is gone.")

    with pytest.raises(SealError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_unknown_size_claims_no_millimetres(tmp_path: Path) -> None:
    text = page(report(FINDING), tmp_path)
    assert 'class="bar"' not in text
    assert not re.search(r"\d mm", words(text))
    assert "Rows × columns 48 × 64" in words(text)
    assert 'id="outlines"' not in text, "nothing is outlined that could be hidden"


def test_the_chinese_report_of_answers_speaks_chinese(tmp_path: Path) -> None:
    composed = report(FINDING, known=outcomes())
    seen = words(page(composed, tmp_path, "zh"))
    kept = (r"case-17|finding|pneumonia|normal|chests|sex = F|resnet|ROC|AUC|Wilson|bootstrap|prediction\.json|UTC|"
            r"A reason|isocenter( verify)?|sha256|[0-9a-f]{16,64}|n\b")  # fmt: skip
    assert re.findall(r"[A-Za-z]{2,}", re.sub(kept, " ", seen)) == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_printed_report_says_the_same(tmp_path: Path, lang: str) -> None:
    pytest.importorskip("typst", reason="the extra 'report' is not installed")
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (Debian's poppler-utils) is not installed")
    composed = report(FINDING, known=outcomes())
    write_pdf(composed, tmp_path / "report.pdf", lang=lang)
    text = subprocess.run(
        ["pdftotext", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    seen, told = re.sub(r"\s", "", text), tell(composed, lang=lang)
    top = [part for one in told.headlines for part in (one.name, one.told, one.remark)]
    for sentence in (*top, *(one.sentence for one in told.meant), *told.rows[0].cells, told.found_note, *told.limits):
        assert re.sub(r"\s", "", sentence) in seen
