"""A report in words: composed once, then laid out as HTML or PDF."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from isocenter.clinic.reporting.found import (
    Head,
    Meant,
    Plot,
    Row,
    head_row,
    meant,
    note_found,
    plots_found,
    rows_found,
)
from isocenter.clinic.reporting.headline import Headline, headlines
from isocenter.pages.html import moment
from isocenter.pages.whiskers import Panel, draw_panels
from isocenter.pages.words import answered, knows, reword, say
from isocenter.result.report import Remark, Report
from isocenter.result.score import Score

_LISTED = 8  # structures named in a sentence, and told apart by colour alone; more are named under each picture

Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that a report says in words, in one language, in the order of its reading.

    Args:
        headlines: The result in a few lines, for the top.
        reasons: Of the verdict.
        asked: (term, what is known of it) of the input.
        heads, rows: The table of what was found.
        found_note: How to read it.
        meant: What answers like these meant on patients whose truth is known.
        meant_note: How to read that; empty where there is nothing to read.
        tested: Whose scores follow.
        panels: The scores, one panel a measure.
        reading: (term, told) of how it was read.
        marks: Key of an origin to its number.
        is_named: Structures are named under each picture, since there are too many for colours.
    """

    title: str
    headlines: tuple[Headline, ...]
    reasons: tuple[str, ...]
    question: str
    asked: Rows
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    found_note: str
    plots: tuple[Plot, ...]
    meant: tuple[Meant, ...]
    meant_note: str
    pictures_heading: str
    pictures_note: str
    shading: str
    tested: str
    panels: tuple[Panel, ...]
    limits: tuple[str, ...]
    reading: Rows
    marks: Mapping[str, int]
    is_named: bool


def tell(report: Report, *, lang: str) -> Told:
    """Return a report in words.

    Raises:
        NotFoundError: No such language; there are "en" and "zh".
    """
    scores, tested = _tested(report, lang=lang)
    tolerance_mm = report.evaluated.tolerance_mm if report.evaluated else None
    return Told(
        title=f"{say('report.title', lang=lang)} {report.prediction.case}",
        headlines=headlines(report, lang=lang),
        reasons=tuple(reword(reason, lang=lang) for reason in report.prediction.verdict.reasons),
        question=_question(report, lang=lang),
        asked=_asked(report, lang=lang),
        heads=head_row(report, lang=lang),
        rows=rows_found(report, lang=lang),
        found_note=note_found(report, lang=lang),
        plots=plots_found(report, lang=lang),
        meant=meant(report, lang=lang),
        meant_note=_meant_note(report, lang=lang),
        pictures_heading=_pictures_heading(report, lang=lang),
        pictures_note=_pictures_note(report, lang=lang),
        shading=say(report.shading.key, lang=lang, **report.shading.values),
        tested=tested,
        panels=(*draw_panels(scores, lang=lang, tolerance_mm=tolerance_mm), *_subgroups(report, lang=lang)),
        limits=tuple(_sentence(remark, lang=lang) for remark in report.limits),
        reading=_reading(report, lang=lang),
        marks={origin.key: place for place, origin in enumerate(report.origins, 1)},
        is_named=len(report.findings) > _LISTED,
    )


def _meant_note(report: Report, *, lang: str) -> str:
    if not report.prediction.answers:
        return ""
    if not report.similar:
        return say("similar.none", lang=lang)
    return say("similar.note" if report.similar[0].answer else "similar.note_number", lang=lang)


def _pictures_heading(report: Report, *, lang: str) -> str:
    if report.overview[0].plane == "picture":
        return say("pictures.planar", lang=lang)
    drawn = any(one.structures for one in report.overview)
    return say("pictures.overview" if drawn else "pictures.overview_empty", lang=lang)


def _pictures_note(report: Report, *, lang: str) -> str:
    planar = report.overview[0].plane == "picture"
    if planar and report.prediction.answers:
        return say("pictures.note_answers", lang=lang)
    return say("pictures.note_planar" if planar else "pictures.note", lang=lang)


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
    apart = "、" if lang == "zh" else ", "
    if report.prediction.answers:
        return say("asked.answers", lang=lang, targets=apart.join(one.target for one in report.prediction.answers))
    names = [finding.structure for finding in report.findings]
    if len(names) > _LISTED:
        return say("asked.many", lang=lang, count=len(names))
    return say("asked.sentence", lang=lang, structures=apart.join(names))


def _asked(report: Report, *, lang: str) -> Rows:
    """Return what is known of the input; its keys are those that the pipeline writes."""
    known = report.prediction.input
    planar = report.overview[0].plane == "picture"  # then there is no slice to be told
    rows: list[tuple[str, str]] = []
    told = [_named(f"kind.{known[key]}", lang=lang) for key in ("modality", "kind") if known.get(key, "OT") != "OT"]
    if told:
        rows.append((say("asked.input", lang=lang), " · ".join(told)))
    if known.get("shape"):
        key = "asked.grid_picture" if planar else "asked.grid"
        rows.append((say(key, lang=lang), " × ".join(str(count) for count in known["shape"][planar:])))
    if any(step is not None for step in known.get("spacing_mm") or ()):
        rows.append((say("asked.spacing", lang=lang), _millimetres(known["spacing_mm"][planar:])))
    if "total" in report.prediction.seconds:
        rows.append((say("asked.time", lang=lang), _seconds(report.prediction.seconds["total"], lang=lang)))
    return tuple(rows)


def _sentence(remark: Remark, *, lang: str) -> str:
    """Return a remark in words; a value that is itself a word of the table is translated."""
    return say(remark.key, lang=lang, **{name: _value(name, value, lang=lang) for name, value in remark.values.items()})


def _value(name: str, value: str | float, *, lang: str) -> str | float:
    if name == "verdict" and knows(f"series.{value}"):
        return say(f"series.{value}", lang=lang)
    if name == "note":
        return reword(str(value), lang=lang)
    return answered(value, lang=lang) if name == "answer" and isinstance(value, str) else value


def _reading(report: Report, *, lang: str) -> Rows:
    model, plan = report.model, report.prediction.plan
    rows: list[tuple[str, str]] = []

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
    rows += _settings(plan, answers=bool(report.prediction.answers), lang=lang)
    stages = [
        f"{_named(f'stage.{stage}', lang=lang)} {_seconds(seconds, lang=lang)}"
        for stage, seconds in report.prediction.seconds.items()
    ]
    if stages:
        add("stages", " · ".join(stages))
    return tuple(rows)


def _settings(plan: Mapping[str, Any], *, answers: bool, lang: str) -> list[tuple[str, str]]:
    """Return the plan's decisions that a reader of images can judge."""
    rows: list[tuple[str, str]] = []
    planar = plan.get("dimensions") == "2-D"
    if "network" in plan:
        rows.append((say("reading.network", lang=lang), str(plan["network"])))
    if "spacing_mm" in plan and not (planar and answers):
        rows.append((say("reading.spacing", lang=lang), _millimetres(plan["spacing_mm"])))
    if "patch" in plan:
        size = " × ".join(str(edge) for edge in plan["patch"][1 if planar else 0 :])
        told = say("reading.pixels" if planar else "reading.voxels", lang=lang, size=size)
        rows.append((say("reading.size" if answers else "reading.patch", lang=lang), told))
    if "overlap" in plan and not answers:
        rows.append((say("reading.overlap", lang=lang), f"{100 * plan['overlap']:.0f} %"))
    return rows


def _named(key: str, *, lang: str) -> str:
    """Return the words for a key, or its last part where there are none."""
    return say(key, lang=lang) if knows(key) else key.partition(".")[2]


def _millimetres(spacing: Any) -> str:
    return " × ".join("–" if step is None else f"{step:.3g}" for step in spacing) + " mm"


def _seconds(seconds: float, *, lang: str) -> str:
    return say("asked.seconds", lang=lang, seconds=f"{seconds:.1f}")
