"""From a prediction to a report that a reader can check: measure, compose, write."""

from isocenter.clinic.reporting.compose import compose_report
from isocenter.clinic.reporting.html import write_html
from isocenter.clinic.reporting.measure import measure
from isocenter.clinic.reporting.pdf import write_pdf
from isocenter.clinic.reporting.summary import summarise

__all__ = ["compose_report", "measure", "summarise", "write_html", "write_pdf"]
