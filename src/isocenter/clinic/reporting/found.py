"""What was found, in words: the table of structures, the table of answers, their plots, and what such answers meant."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from isocenter.clinic.reporting.compose import learnt_range
from isocenter.clinic.reporting.headline import answer_as_score
from isocenter.clinic.reporting.similar import class_shown
from isocenter.pages.answers import Chance, draw_chances, draw_meaning, draw_number
from isocenter.pages.html import counted, figure, interval, measured, plain
from isocenter.pages.words import answered, say, unit
from isocenter.result.answer import Answer
from isocenter.result.report import Finding, Report, Similar

_MOST = 12  # classes drawn, the most probable ones
_EACH = 3  # questions: with more, what each meant is said and not drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column's head.

    Args:
        unit: Of every figure in it; empty for none.
        mark: Key of the origin that its figures come from; empty for none.
        is_figure: Holds figures, which are set to the right.
    """

    text: str
    unit: str = ""
    mark: str = ""
    is_figure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of what was found.

    Args:
        colour: Of the outline; None for an answer.
        remark: A few grey words beside the name, such as its code.
        warning: A few words below the name; empty for none.
        cells: As many as there are further columns; one cell alone spans them.
    """

    name: str
    cells: tuple[str, ...]
    colour: tuple[int, int, int] | None = None
    remark: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A figure with what it shows in words, for readers who do not see it."""

    told: str
    drawing: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What answers like one of this case's meant: a sentence, and a plot where there is one."""

    target: str
    sentence: str
    plot: Plot | None


def head_row(report: Report, *, lang: str) -> tuple[Head, ...]:
    """Return the heads of the table of what was found."""
    if report.prediction.answers:
        return _heads_of_answers(report, lang=lang)
    size, planar = unit(report.findings[0].volume.unit, lang=lang), report.overview[0].plane == "picture"
    heads = [
        Head(text=say("found.structure", lang=lang), is_figure=False),
        Head(text=say("found.area" if planar else "found.volume", lang=lang), unit=size, mark="volumes"),
        Head(text=say("found.interval", lang=lang), unit=size, mark="intervals"),
        Head(text=say("found.patients", lang=lang)),
        Head(
            text=say("found.extent_picture" if planar else "found.extent", lang=lang),
            unit=unit(report.findings[0].extent_unit, lang=lang), mark="volumes",
        ),
    ]  # fmt: skip
    if not planar:
        heads.append(Head(text=say("found.slices", lang=lang)))
    return (*heads, Head(text=say("found.pieces", lang=lang)))


def rows_found(report: Report, *, lang: str) -> tuple[Row, ...]:
    """Return the table of what was found: one row a structure, or one row a question."""
    if report.prediction.answers:
        learnt = learnt_range(report.prediction)
        return tuple(_answered(answer, learnt=learnt, lang=lang) for answer in report.prediction.answers)
    planar = report.overview[0].plane == "picture"
    return tuple(_outlined(one, is_planar=planar, lang=lang) for one in report.findings)


def note_found(report: Report, *, lang: str) -> str:
    """Return what must be known to read the table and its plots."""
    if not report.prediction.answers:
        return say("found.note", lang=lang)
    number = any(not isinstance(one.value, str) for one in report.prediction.answers)
    return say("found.note_number" if number else "found.note_answers", lang=lang)


def plots_found(report: Report, *, lang: str) -> tuple[Plot, ...]:
    """Return the plots of the answers: findings asked beside each other share one."""
    answers = report.prediction.answers
    several = [one for one in answers if one.kind == "multilabel" and "yes" in one.probabilities]
    plots = [_plot_of(one, report, lang=lang) for one in answers if one not in several]
    if several:
        chances = [
            Chance(
                name=one.target, probability=one.probabilities["yes"], point=one.point, is_said=one.value == "yes"
            )
            for one in several
        ]  # fmt: skip
        plots.append(_plot_of_chances(chances, lang=lang))
    return tuple(plots)


def meant(report: Report, *, lang: str) -> tuple[Meant, ...]:
    """Return what answers like this case's meant on patients whose truth is known."""
    answers = {one.target: one for one in report.prediction.answers}
    return tuple(_meant(one, answers[one.target], is_drawn=len(answers) <= _EACH, lang=lang) for one in report.similar)


def _outlined(one: Finding, *, is_planar: bool, lang: str) -> Row:
    remark = f"{one.code.scheme} {one.code.value}" if one.code else ""
    if one.extent is None or one.slices is None:
        return Row(name=one.structure, colour=one.colour, remark=remark, cells=(say("found.none", lang=lang),))
    known = interval(one.volume)
    cells = [
        figure(one.volume),
        say("found.no_interval", lang=lang) if known == "–" else known,
        str(one.volume.n),
        " × ".join(f"{round(edge)}" for edge in one.extent),
    ]
    if not is_planar:
        cells.append("–".join(dict.fromkeys(str(number) for number in one.slices)))
    cells.append(str(one.pieces))
    warning = say("found.cut", lang=lang) if one.is_cut else ""
    return Row(name=one.structure, colour=one.colour, remark=remark, warning=warning, cells=tuple(cells))


def _heads_of_answers(report: Report, *, lang: str) -> tuple[Head, ...]:
    question = Head(text=say("found.question", lang=lang), is_figure=False)
    answer = Head(text=say("found.answer", lang=lang), mark="answers", is_figure=False)
    first = report.prediction.answers[0]
    if isinstance(first.value, str):
        rule = Head(text=say("found.rule", lang=lang), mark="points", is_figure=False)
        return question, answer, Head(text=say("found.probability", lang=lang), mark="answers"), rule
    of = unit(first.unit, lang=lang)
    return (
        question,
        Head(text=answer.text, unit=of, mark=answer.mark),
        Head(text=say("found.interval", lang=lang), unit=of, mark="points"),
        Head(text=say("found.learnt", lang=lang), unit=of, mark="learning"),
    )


def _answered(answer: Answer, *, learnt: tuple[float, float] | None, lang: str) -> Row:
    if isinstance(answer.value, str):
        probability = f"{answer.probabilities[class_shown(answer.value, answer.probabilities)]:.3f}"
        return Row(name=answer.target, cells=(answered(answer.value, lang=lang), probability, _rule(answer, lang=lang)))
    score = answer_as_score(answer)
    known = interval(score)
    beyond = learnt is not None and not learnt[0] <= answer.value <= learnt[1]
    return Row(
        name=answer.target,
        cells=(
            figure(score),
            say("found.no_interval", lang=lang) if known == "–" else known,
            "–" if learnt is None else f"{plain(learnt[0])} – {plain(learnt[1])}",
        ),
        warning=say("found.beyond", lang=lang) if beyond else "",
    )


def _rule(answer: Answer, *, lang: str) -> str:
    """Return why a class was answered: the point of the second of two classes, or that it is the most probable."""
    if math.isnan(answer.point) or len(answer.probabilities) != 2:
        return say("found.most_probable", lang=lang)
    second = list(answer.probabilities)[1]
    reached = answer.probabilities[second] >= answer.point
    key = "found.at_point" if reached else "found.below_point"
    return say(key, lang=lang, name=answered(second, lang=lang), point=f"{answer.point:.3f}")


def _plot_of(answer: Answer, report: Report, *, lang: str) -> Plot:
    if not isinstance(answer.value, str):
        drawing = draw_number(
            answer.value, interval=(answer.low, answer.high), learnt=learnt_range(report.prediction),
            unit=answer.unit, lang=lang,
        )  # fmt: skip
        score = answer_as_score(answer)
        return Plot(told=f"{answer.target}: {figure(score)} {interval(score)}", drawing=drawing)
    return _plot_of_chances(_chances(answer.probabilities, answer, lang=lang), lang=lang)


def _chances(probabilities: Mapping[str, float], answer: Answer, *, lang: str) -> list[Chance]:
    second = list(probabilities)[1] if len(probabilities) == 2 else None
    likely = sorted(probabilities, key=lambda name: -probabilities[name])[:_MOST]
    return [
        Chance(
            name=answered(name, lang=lang), probability=probability, is_said=name == answer.value,
            point=answer.point if name == second else math.nan,
        )
        for name, probability in probabilities.items()
        if name in likely
    ]  # fmt: skip


def _plot_of_chances(chances: list[Chance], *, lang: str) -> Plot:
    told = ", ".join(f"{chance.name} {chance.probability:.3f}" for chance in chances)
    return Plot(told=told, drawing=draw_chances(chances, lang=lang))


def _meant(one: Similar, answer: Answer, *, is_drawn: bool, lang: str) -> Meant:
    score, here = one.here.score, one.here
    known = interval(score)
    shown = f"({say('head.no_interval', lang=lang)})" if known == "–" else known
    parts = {"target": one.target, "n": score.n, "interval": shown}
    if not one.answer:
        bounds = {"low": plain(here.low), "high": plain(here.high)}
        sentence = say(
            "similar.error",
            lang=lang,
            error=measured(score, lang=lang),
            **bounds,
            **parts,
        )
        return Meant(target=one.target, sentence=_of_images(sentence, here.cases, score.n, lang=lang), plot=None)
    bounds = {"low": f"{here.low:.1f}", "high": f"{here.high:.1f}"}
    sentence = say(
        "similar.share",
        lang=lang,
        answer=answered(one.answer, lang=lang),
        true=counted(here.true),
        share=figure(score),
        **bounds,
        **parts,
    )
    whole = _of_images(sentence, here.cases, score.n, lang=lang)
    if not is_drawn:
        return Meant(target=one.target, sentence=whole, plot=None)
    drawing = draw_meaning(one, answer.probabilities[one.answer], lang=lang)
    told = "; ".join(f"{band.low:.1f}–{band.high:.1f}: {figure(band.score)} (n = {band.score.n})" for band in one.bands)
    return Meant(target=one.target, sentence=whole, plot=Plot(told=told, drawing=drawing))


def _of_images(sentence: str, cases: int, patients: int, *, lang: str) -> str:
    if cases == patients:
        return sentence
    return f"{sentence}{'' if lang == 'zh' else ' '}{say('similar.images', lang=lang, cases=cases)}"
