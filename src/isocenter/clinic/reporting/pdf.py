"""A report as one PDF, in the language asked for: the same words, pictures and plots as on the HTML page."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from isocenter.clinic.reporting.found import Plot
from isocenter.clinic.reporting.wording import Told, tell
from isocenter.pages.html import bar_mm, colour, moment, place, save
from isocenter.pages.pdf import standalone, typeset
from isocenter.pages.words import knows, say
from isocenter.result.report import Picture, Report

Json = dict[str, object]


def write_pdf(report: Report, path: Path, *, lang: str) -> None:
    """Write a report as PDF/A-2a, tagged, A4; it appears whole or not at all. The same report gives the same bytes.

    Raises:
        MissingExtraError: The extra "report" is not installed.
        NotFoundError: No such language; there are "en" and "zh".
        StoreError: The folder cannot be written to, or the disk is full.
    """
    told = tell(report, lang=lang)
    files: dict[str, bytes] = {}
    values = _words(report, told, lang=lang) | _drawings(report, told, files, lang=lang)
    template = Path(__file__).with_name("report.typ")
    save(typeset(template, values, files=files, at=report.at, lang=lang), path)


def _words(report: Report, told: Told, *, lang: str) -> Json:
    facts = (("report.composed", moment(report.at)), ("report.model", report.model.id[:16]))
    return {
        "title": told.title,
        "case": report.prediction.case,
        "head": [[say(key, lang=lang), known] for key, known in facts],
        "decision": report.prediction.verdict.decision,
        "status": say(f"status.{report.status}", lang=lang),
        "foot": f"{report.prediction.case} · {say(f'status.{report.status}', lang=lang)}",
        "version": report.version,
        "at": moment(report.at),
        "headlines": [asdict(one) for one in told.headlines],
        "reasons": told.reasons,
        "question": told.question,
        "asked": told.asked,
        "heads": [asdict(head) for head in told.heads],
        "rows": [asdict(row) | {"colour": row.colour and colour(row.colour)} for row in told.rows],
        "found_note": told.found_note,
        "meant_note": told.meant_note,
        "pictures_heading": told.pictures_heading,
        "pictures_note": told.pictures_note,
        "shading": told.shading,
        "tested": told.tested,
        "limits": told.limits,
        "reading": told.reading,
        "marks": told.marks,
        "origins": _origins(report, lang=lang),
    }


def _origins(report: Report, *, lang: str) -> list[Json]:
    missing = say("origins.missing", lang=lang)
    return [
        {
            "key": one.key,
            "place": place_,
            "what": say(f"origin.{one.key}", lang=lang),
            "name": say(f"origin.{one.name}", lang=lang) if knows(f"origin.{one.name}") else one.name,
            "digest": one.digest or missing,
            "receipt": one.receipt or missing,
        }
        for place_, one in enumerate(report.origins, 1)
    ]


def _drawings(report: Report, told: Told, files: dict[str, bytes], *, lang: str) -> Json:
    """Return what is drawn, by the names of files, which are added to those given."""
    colours = {finding.structure: colour(finding.colour) for finding in report.findings}
    drawn = {name for one in (*report.overview, *report.series) for name in one.structures}

    def plot(one: Plot) -> Json:
        name = f"plot-{len(files)}.svg"
        files[name] = standalone(one.drawing)
        return {"name": name, "alt": one.told}

    def picture(one: Picture) -> Json:
        named = [(name, colours[name]) for name in one.structures] if told.is_named else []
        return _picture(one, named, files, lang=lang)

    return {
        "plots": [plot(one) for one in told.plots],
        "meant": [
            {"target": one.target, "sentence": one.sentence, "plot": one.plot and plot(one.plot)} for one in told.meant
        ],
        "panels": [
            {"heading": one.heading, "better": one.better, **plot(Plot(told=one.told, drawing=one.plot))}
            for one in told.panels
        ],
        "legend": [(name, tone) for name, tone in colours.items() if name in drawn],
        "overview": [picture(one) for one in report.overview],
        "series": [picture(one) for one in report.series],
    }


def _picture(one: Picture, named: Sequence[tuple[str, str]], files: dict[str, bytes], *, lang: str) -> Json:
    image, outlines = f"image-{len(files)}.png", f"outlines-{len(files)}.png"
    files[image] = one.image
    if one.structures:
        files[outlines] = one.outlines
    plane = say(f"plane.{one.plane}", lang=lang)
    counted = {"number": one.number, "count": one.count}
    return {
        "image": image,
        "outlines": outlines if one.structures else None,
        "alt": say("pictures.alt", lang=lang, plane=plane, **counted),
        "plane": plane,
        "slice": say("pictures.slice", lang=lang, **counted) if one.count > 1 else "",
        "place": place(one).removeprefix(" · ") if one.count > 1 else "",
        "size_mm": one.size_mm,
        "letters": one.letters,
        "bar_mm": bar_mm(one) if one.has_size else None,
        "named": named,
    }
