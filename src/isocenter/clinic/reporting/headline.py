"""What a reader must know within ten seconds: what was answered or outlined, and how far to trust it."""

from collections.abc import Sequence
from dataclasses import dataclass

from isocenter.clinic.reporting.compose import learnt_range
from isocenter.clinic.reporting.similar import class_shown
from isocenter.pages.html import counted, interval, measured
from isocenter.pages.words import answered, say
from isocenter.result.answer import Answer
from isocenter.result.report import Finding, Report, Similar
from isocenter.result.score import Score

_LISTED = 6  # structures or findings told by name; of more, how many


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One line at the top: what it is about, what was found, and a few words on how sure that is."""

    name: str
    told: str
    remark: str = ""


def headlines(report: Report, *, lang: str) -> tuple[Headline, ...]:
    """Return the result in a few lines; of many findings those that were answered with yes."""
    answers = report.prediction.answers
    if not answers:
        return (_outlined(report.findings, lang=lang),)
    told = answers
    if len(answers) > _LISTED:
        there = sorted((one for one in answers if one.value != "no"), key=lambda one: -max(one.probabilities.values()))
        told = tuple(there[:_LISTED])
    similar = {one.target: one for one in report.similar}
    lines = [_answered(one, report, similar.get(one.target), lang=lang) for one in told]
    absent = sum(one.value == "no" for one in answers) if len(answers) > _LISTED else 0
    if absent:
        lines.append(
            Headline(
                name=say("head.others" if lines else "head.all", lang=lang, count=absent),
                told=answered("no", lang=lang),
            )
        )
    if len(answers) - absent > len(told):
        more = say("head.more", lang=lang, count=len(answers) - absent - len(told))
        lines.append(Headline(name=more, told=answered("yes", lang=lang)))
    return tuple(lines)


def answer_as_score(answer: Answer) -> Score:
    """Return a number that was answered as a figure with its interval."""
    return Score(
        name="number", label=answer.target, value=float(answer.value), low=answer.low, high=answer.high, n=1,
        unit="" if answer.unit == "1" else answer.unit,  # three digits that count, also where it has no unit
    )  # fmt: skip


def _answered(answer: Answer, report: Report, similar: Similar | None, *, lang: str) -> Headline:
    if isinstance(answer.value, str):
        told, remarks = answered(answer.value, lang=lang), [_probability(answer, lang=lang)]
    else:
        score, learnt = answer_as_score(answer), learnt_range(report.prediction)
        told = measured(score, lang=lang)
        known = interval(score)
        remarks = [
            say("head.no_interval", lang=lang) if known == "–" else f"{say('found.interval', lang=lang)} {known}"
        ]
        if learnt is not None and not learnt[0] <= answer.value <= learnt[1]:
            remarks.append(say("found.beyond", lang=lang))
    if similar is not None:
        remarks.append(_before(similar, lang=lang))
    return Headline(name=answer.target, told=told, remark=" · ".join(remarks))


def _probability(answer: Answer, *, lang: str) -> str:
    shown = class_shown(str(answer.value), answer.probabilities)
    told = f"{answer.probabilities[shown]:.3f}"
    if shown == answer.value:
        return say("head.probability", lang=lang, probability=told)
    return say("head.probability_of", lang=lang, answer=answered(shown, lang=lang), probability=told)


def _before(similar: Similar, *, lang: str) -> str:
    """Return in a few words what such an answer meant on patients whose truth is known."""
    here = similar.here
    if similar.answer:
        return say("head.share", lang=lang, true=counted(here.true), n=here.score.n)
    return say("head.error", lang=lang, error=measured(here.score, lang=lang), n=here.score.n)


def _outlined(findings: Sequence[Finding], *, lang: str) -> Headline:
    name, apart = say("head.outlined", lang=lang), "、" if lang == "zh" else ", "
    there = [one for one in findings if one.is_found]
    absent = [one.structure for one in findings if not one.is_found]
    cut = [one.structure for one in there if one.is_cut]
    if len(findings) > _LISTED:
        return Headline(name=name, told=say("head.count", lang=lang, found=len(there), count=len(findings)))
    sizes = [f"{one.structure} {measured(one.volume, lang=lang)}" for one in there]
    remarks = [f"{say('found.cut', lang=lang)}: {apart.join(cut)}"] if cut else []
    if absent and there:
        remarks.append(f"{say('found.none', lang=lang)}: {apart.join(absent)}")
    told = " · ".join(sizes) if sizes else say("found.none", lang=lang)
    return Headline(name=name, told=told, remark=" · ".join(remarks))
