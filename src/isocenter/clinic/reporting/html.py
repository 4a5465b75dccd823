"""A report as one HTML file, in the language asked for."""

from pathlib import Path

from isocenter.clinic.reporting.wording import tell
from isocenter.pages.html import render, save
from isocenter.result.report import Report


def write_html(report: Report, path: Path, *, lang: str) -> None:
    """Write a report as one HTML file that needs no network and no script; it appears whole or not at all.

    The digests of all receipts that it stands on lie in `<meta name="isocenter-receipts">`, apart by spaces.

    Raises:
        NotFoundError: No such language; there are "en" and "zh".
        StoreError: The folder cannot be written to, or the disk is full.
    """
    told = tell(report, lang=lang)
    values = {
        "report": report,
        "told": told,
        "title": told.title,
        "marks": told.marks,
        "colours": {finding.structure: finding.colour for finding in report.findings},
        "drawn": {name for one in (*report.overview, *report.series) for name in one.structures},
    }
    save(render(Path(__file__).with_name("report.html"), values, lang=lang), path)
