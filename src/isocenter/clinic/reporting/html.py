"""A report as one HTML file, in the language asked for."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocenter.pages.html import moment, render, save
from isocenter.pages.whiskers import Panel, draw_panels
from isocenter.pages.words import knows, say
from isocenter.result.report import Remark, Report
from isocenter.result.score import Score

_LISTED = 8  # structures named in a sentence, and told apart by colour alone; more are named under each picture

Rows = list[tuple[str, str]]


def write_html(report: Report, path: Path, *, lang: str) -> None:
    """Write a report as one HTML file that needs no network and no script; it appears whole or not at all.

    The digests of all receipts that it stands on lie in `<meta name="isocenter-receipts">`, apart by spaces.

    Raises:
        NotFoundError: No such language; there are "en" and "zh".
        StoreError: The folder cannot be written to, or the disk is full.
    """
    scores, tested = _tested(report, lang=lang)
    tolerance_mm = report.evaluated.tolerance_mm if report.evaluated else None
    values = {
        "report": report,
        "title": f"{say('report.title', lang=lang)} {report.prediction.case}",
        "colours": {finding.structure: finding.colour for finding in report.findings},
        "is_named": len(report.findings) > _LISTED,
        "question": _question(report, lang=lang),
        "drawn": {name for one in (*report.overview, *report.series) for name in one.structures},
        "marks": {origin.key: place for place, origin in enumerate(report.origins, 1)},
        "asked": _asked(report, lang=lang),
        "tested": tested,
        "panels": (*draw_panels(scores, lang=lang, tolerance_mm=tolerance_mm), *_subgroups(report, lang=lang)),
        "limits": [_sentence(remark, lang=lang) for remark in report.limits],
        "reading": _reading(report, lang=lang),
    }
    save(render(Path(__file__).with_name("report.html"), values, lang=lang), path)


def _tested(report: Report, *, lang: str) -> tuple[tuple[Score, ...], str]:
    """Return the scores to show, the test set's before those of validation, and the sentence that says whose."""
    evaluated, model = report.evaluated, report.model
    if evaluated is not None and evaluated.scores:
        scores, key, name = evaluated.scores, f"scores.{evaluated.cohort}", evaluated.dataset_name or evaluated.dataset
    elif model.scores:
        scores, key, name = model.scores, "scores.validation", model.dataset_name or model.dataset
    else:
        return (), say("scores.none", lang=lang)
    return scores, say(key, lang=lang, name=name, n=max(score.n for score in scores))


def _subgroups(report: Report, *, lang: str) -> tuple[Panel, ...]:
    """Return one panel: the first measure's mean over structures in each subgroup; none where there is no subgroup."""
    groups = report.evaluated.subgroups if report.evaluated else {}
    firsts = {group: [one for one in scores if one.name == scores[0].name] for group, scores in groups.items()}
    means = [
        replace(next((one for one in scores if one.label == "mean"), scores[0]), label=group)
        for group, scores in firsts.items()
        if scores
    ]
    panels = draw_panels(means, lang=lang)
    return tuple(replace(panel, heading=say("scores.subgroups", lang=lang, measure=panel.heading)) for panel in panels)


def _question(report: Report, *, lang: str) -> str:
    names = [finding.structure for finding in report.findings]
    if len(names) > _LISTED:
        return say("asked.many", lang=lang, count=len(names))
    return say("asked.sentence", lang=lang, structures=("、" if lang == "zh" else ", ").join(names))


def _asked(report: Report, *, lang: str) -> Rows:
    """Return what is known of the input; its keys are those that the pipeline writes."""
    known = report.prediction.input
    rows: Rows = []
    told = [_named(f"kind.{known[key]}", lang=lang) for key in ("modality", "kind") if known.get(key, "OT") != "OT"]
    if told:
        rows.append((say("asked.input", lang=lang), " · ".join(told)))
    if known.get("shape"):
        rows.append((say("asked.grid", lang=lang), " × ".join(str(count) for count in known["shape"])))
    if known.get("spacing_mm"):
        rows.append((say("asked.spacing", lang=lang), _millimetres(known["spacing_mm"])))
    if "total" in report.prediction.seconds:
        rows.append((say("asked.time", lang=lang), _seconds(report.prediction.seconds["total"], lang=lang)))
    return rows


def _sentence(remark: Remark, *, lang: str) -> str:
    """Return a remark in words; a value that is itself a word of the table is translated."""
    values = {
        name: say(f"series.{value}", lang=lang) if knows(f"series.{value}") else value
        for name, value in remark.values.items()
    }
    return say(remark.key, lang=lang, **values)


def _reading(report: Report, *, lang: str) -> Rows:
    model, plan = report.model, report.prediction.plan
    rows: Rows = []

    def add(key: str, told: str) -> None:
        rows.append((say(f"reading.{key}", lang=lang), told))

    add("dataset", model.dataset_name or model.dataset)
    if model.licence:
        add("licence", model.licence)
    if model.patients:
        counts = {side: model.patients.get(side, 0) for side in ("train", "validation", "test")}
        add("patients", say("reading.patients_value", lang=lang, **counts))
    if model.created:
        add("created", moment(model.created))
    rows += _settings(plan, lang=lang)
    stages = [
        f"{_named(f'stage.{stage}', lang=lang)} {_seconds(seconds, lang=lang)}"
        for stage, seconds in report.prediction.seconds.items()
    ]
    if stages:
        add("stages", " · ".join(stages))
    return rows


def _settings(plan: Mapping[str, Any], *, lang: str) -> Rows:
    """Return the plan's decisions that a reader of images can judge."""
    rows: Rows = []
    if "network" in plan:
        rows.append((say("reading.network", lang=lang), str(plan["network"])))
    if "spacing_mm" in plan:
        rows.append((say("reading.spacing", lang=lang), _millimetres(plan["spacing_mm"])))
    if "patch" in plan:
        size = " × ".join(str(edge) for edge in plan["patch"])
        rows.append((say("reading.patch", lang=lang), say("reading.voxels", lang=lang, size=size)))
    if "overlap" in plan:
        rows.append((say("reading.overlap", lang=lang), f"{100 * plan['overlap']:.0f} %"))
    return rows


def _named(key: str, *, lang: str) -> str:
    """Return the words for a key, or its last part where there are none."""
    return say(key, lang=lang) if knows(key) else key.partition(".")[2]


def _millimetres(spacing: Any) -> str:
    return " × ".join("–" if step is None else f"{step:.3g}" for step in spacing) + " mm"


def _seconds(seconds: float, *, lang: str) -> str:
    return say("asked.seconds", lang=lang, seconds=f"{seconds:.1f}")
