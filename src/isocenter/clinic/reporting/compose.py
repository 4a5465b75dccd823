"""A report from a prediction, its mask and images, the model, and how the model did on its test set."""

import math

import numpy as np

from isocenter import __version__
from isocenter.clinic.reporting.measure import measure, overlaps
from isocenter.clinic.reporting.pictures import draw_overview, draw_series
from isocenter.clinic.reporting.similar import find_similar
from isocenter.image import LabelTable, Mask, Volume
from isocenter.pages.greys import choose_greys
from isocenter.pages.html import counted
from isocenter.result import Prediction
from isocenter.result.report import Evaluated, Finding, ModelSummary, Origin, Remark, Report, Similar

_FEW = 30  # patients: below it a 95 % bootstrap interval is itself unsure (percentile intervals come out too narrow)


def compose_report(
    prediction: Prediction,
    *,
    volume: Volume,
    mask: Mask | None,
    model: ModelSummary,
    evaluated: Evaluated | None,
    at: str,
) -> Report:
    """Return the report of one case.

    Args:
        prediction: What the model said.
        volume: The first volume that was read, for the pictures.
        mask: The prediction's, on that volume's grid; None where the model answers for the whole image.
        model: That made the prediction.
        evaluated: How it did on patients with known truth; None says in the report that nobody knows.
        at: UTC, ISO 8601.

    Raises:
        GridError: Mask and volume lie on different grids.
        ProofError: The mask is not the one that the prediction speaks of.
    """
    shown = _nothing_on(volume) if mask is None else mask
    shown.require_grid_of(volume)
    findings = () if mask is None else measure(mask, volumes=prediction.volumes, voxel_size=volume.voxel_size)
    greys = choose_greys(volume, shown)
    similar = _similar(prediction, evaluated)
    return Report(
        prediction=prediction,
        findings=findings,
        similar=similar,
        overview=draw_overview(volume, shown, greys=greys),
        series=draw_series(volume, shown, greys=greys),
        shading=greys.remark,
        model=model,
        evaluated=evaluated,
        limits=(
            *_limits_of_input(prediction),
            *(() if mask is None else _limits_of_case(findings, mask)),
            *_limits_of_answers(prediction, similar),
            *_limits_of_model(model, evaluated, is_probable=any(one.probabilities for one in prediction.answers)),
            Remark(key="limit.only_these" if mask is not None else "limit.only_asked"),
            Remark(key="limit.this_case" if mask is not None else "limit.this_answer"),
        ),
        origins=_origins(prediction, model, evaluated),
        at=at,
        version=__version__,
    )


def _nothing_on(volume: Volume) -> Mask:
    """Return a mask of nothing, for the pictures of a model that outlines nothing."""
    labels = np.zeros(volume.shape, dtype=np.uint8)
    return Mask(labels=labels, affine=volume.affine, table=LabelTable.of("nothing"))


def _similar(prediction: Prediction, evaluated: Evaluated | None) -> tuple[Similar, ...]:
    if evaluated is None:
        return ()
    found = (find_similar(answer, evaluated.outcomes) for answer in prediction.answers)
    return tuple(one for one in found if one is not None)


def _limits_of_input(prediction: Prediction) -> tuple[Remark, ...]:
    verdict = str(prediction.input.get("verdict", "regular"))
    return () if verdict == "regular" else (Remark(key="limit.series", values={"verdict": verdict}),)


def _limits_of_case(findings: tuple[Finding, ...], mask: Mask) -> tuple[Remark, ...]:
    remarks = []
    cut = [finding.structure for finding in findings if finding.is_cut]
    absent = [finding.structure for finding in findings if not finding.is_found]
    if cut:
        remarks.append(Remark(key="limit.cut", values={"structures": ", ".join(cut)}))
    if absent:
        remarks.append(Remark(key="limit.absent", values={"structures": ", ".join(absent)}))
    if overlaps(mask.table):
        remarks.append(Remark(key="limit.overlapping"))
    return tuple(remarks)


def _limits_of_answers(prediction: Prediction, similar: tuple[Similar, ...]) -> tuple[Remark, ...]:
    """Return what must be known of answers: a number beyond what was learnt, and how common the answer was."""
    learnt = learnt_range(prediction)
    beyond = [
        answer.target
        for answer in prediction.answers
        if learnt is not None and not isinstance(answer.value, str) and not learnt[0] <= answer.value <= learnt[1]
    ]
    remarks = [Remark(key="limit.beyond", values={"target": target}) for target in beyond]
    if prediction.answers and len(set((prediction.plan.get("goal") or {}).get("weights") or ())) > 1:
        remarks.append(Remark(key="limit.weighted"))
    for one in similar:
        if one.answer and not math.isnan(one.true):
            told: dict[str, str | int | float] = {"target": one.target, "answer": one.answer, "n": one.patients}
            remarks.append(Remark(key="limit.prevalence", values=told | {"true": counted(one.true)}))
    return tuple(remarks)


def learnt_range(prediction: Prediction) -> tuple[float, float] | None:
    """Return the smallest and largest number that the model learnt from; None where it answers no number."""
    number = (prediction.plan.get("goal") or {}).get("number")
    return None if number is None else (float(number["low"]), float(number["high"]))


def _limits_of_model(model: ModelSummary, evaluated: Evaluated | None, *, is_probable: bool) -> tuple[Remark, ...]:
    remarks = [Remark(key="limit.probability" if is_probable else "limit.interval")]
    if evaluated is None or not evaluated.scores:
        remarks.append(Remark(key="limit.untested"))
    else:
        patients = max(score.n for score in evaluated.scores)
        if patients < _FEW:
            remarks.append(Remark(key="limit.few", values={"n": patients}))
        if evaluated.dataset == model.dataset:
            remarks.append(Remark(key="limit.one_source"))
        remarks += [Remark(key="limit.note", values={"note": note}) for note in evaluated.notes]
    return tuple(remarks)


def _origins(prediction: Prediction, model: ModelSummary, evaluated: Evaluated | None) -> tuple[Origin, ...]:
    newest = prediction.receipts[0] if prediction.receipts else ""
    masks = [(name, digest) for name, digest in prediction.files.items() if name.startswith("mask")]
    said = [(name, digest) for name, digest in prediction.files.items() if name.endswith(".json")]
    found, intervals = ("answers", "points") if prediction.answers else ("volumes", "intervals")
    stands_in = said if prediction.answers else masks
    origins = [Origin(key=found, name=name, digest=digest, receipt=newest) for name, digest in stands_in[:1]]
    origins += [
        Origin(key=intervals, name="model", digest=model.id, receipt=model.receipt),
        Origin(key="pictures", name="input", digest=str(prediction.input.get("digest", "")), receipt=newest),
    ]
    if evaluated is not None:
        name = evaluated.dataset_name or "dataset"
        origins.append(Origin(key="scores", name=name, digest=evaluated.dataset, receipt=evaluated.receipt))
    learning = Origin(
        key="learning", name=model.dataset_name or "dataset", digest=model.dataset, receipt=model.dataset_receipt
    )
    return (*origins, learning)
