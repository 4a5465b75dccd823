"""Cases, what readers said of them, and versions of data sets, split by patient."""

from isocenter.case.annotation import UNSIGNED, Annotation
from isocenter.case.case import Case, Fact
from isocenter.case.dataset import Dataset, Entry, Outline, Preparation, table_from
from isocenter.case.grant import USES, Grant, Use
from isocenter.case.source import Source
from isocenter.case.split import Side, Split, draw_split

__all__ = [
    "UNSIGNED", "USES", "Annotation", "Case", "Dataset", "Entry", "Fact", "Grant", "Outline", "Preparation", "Side",
    "Source", "Split", "Use", "draw_split", "table_from",
]  # fmt: skip
