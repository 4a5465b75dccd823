"""A report from a prediction, its mask and images, the model, and how the model did on its test set."""

from isocenter import __version__
from isocenter.clinic.reporting.measure import measure, overlaps
from isocenter.clinic.reporting.pictures import draw_overview, draw_series
from isocenter.image import Mask, Volume
from isocenter.pages.greys import choose_greys
from isocenter.result import Prediction
from isocenter.result.report import Evaluated, Finding, ModelSummary, Origin, Remark, Report

_FEW = 30  # patients: below it a 95 % bootstrap interval is itself unsure (percentile intervals come out too narrow)


def compose_report(
    prediction: Prediction,
    *,
    volume: Volume,
    mask: Mask,
    model: ModelSummary,
    evaluated: Evaluated | None,
    at: str,
) -> Report:
    """Return the report of one case.

    Args:
        prediction: What the model said.
        volume: The first volume that was read, for the pictures.
        mask: The prediction's, on that volume's grid.
        model: That made the prediction.
        evaluated: How it did on patients with known truth; None says in the report that nobody knows.
        at: UTC, ISO 8601.

    Raises:
        GridError: Mask and volume lie on different grids.
        ProofError: The mask is not the one that the prediction speaks of.
    """
    mask.require_grid_of(volume)
    findings = measure(mask, volumes=prediction.volumes)
    greys = choose_greys(volume, mask)
    return Report(
        prediction=prediction,
        findings=findings,
        overview=draw_overview(volume, mask, greys=greys),
        series=draw_series(volume, mask, greys=greys),
        shading=greys.remark,
        model=model,
        evaluated=evaluated,
        limits=(*_limits_of_input(prediction), *_limits_of_case(findings, mask), *_limits_of_model(model, evaluated)),
        origins=_origins(prediction, model, evaluated),
        at=at,
        version=__version__,
    )


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


def _limits_of_model(model: ModelSummary, evaluated: Evaluated | None) -> tuple[Remark, ...]:
    remarks = [Remark(key="limit.interval")]
    if evaluated is None or not evaluated.scores:
        remarks.append(Remark(key="limit.untested"))
    else:
        patients = max(score.n for score in evaluated.scores)
        if patients < _FEW:
            remarks.append(Remark(key="limit.few", values={"n": patients}))
        if evaluated.dataset == model.dataset:
            remarks.append(Remark(key="limit.one_source"))
    remarks.append(Remark(key="limit.only_these"))
    remarks.append(Remark(key="limit.this_case"))
    return tuple(remarks)


def _origins(prediction: Prediction, model: ModelSummary, evaluated: Evaluated | None) -> tuple[Origin, ...]:
    newest = prediction.receipts[0] if prediction.receipts else ""
    masks = [(name, digest) for name, digest in prediction.files.items() if name.startswith("mask")]
    origins = [Origin(key="volumes", name=name, digest=digest, receipt=newest) for name, digest in masks[:1]]
    origins += [
        Origin(key="intervals", name="model", digest=model.id, receipt=model.receipt),
        Origin(key="pictures", name="input", digest=str(prediction.input.get("digest", "")), receipt=newest),
    ]
    if evaluated is not None:
        name = evaluated.dataset_name or "dataset"
        origins.append(Origin(key="scores", name=name, digest=evaluated.dataset, receipt=evaluated.receipt))
    learning = Origin(
        key="learning", name=model.dataset_name or "dataset", digest=model.dataset, receipt=model.dataset_receipt
    )
    return (*origins, learning)
