"""Cases, what readers said of them, and versions of data sets, split by patient."""

from isocenter.case.annotation import UNSIGNED, Annotation, standing
from isocenter.case.case import Case, Fact
from isocenter.case.dataset import Dataset, Entry, Outline, table_from
from isocenter.case.grant import USES, Grant, Use
from isocenter.case.reading import Observation, Reading
from isocenter.case.schema import WHOLE, Asked, Level, Schema, Value
from isocenter.case.source import Source
from isocenter.case.split import Side, Split, draw_split

__all__ = [
    "UNSIGNED", "USES", "WHOLE", "Annotation", "Asked", "Case", "Dataset", "Entry", "Fact", "Grant", "Level",
    "Observation", "Outline", "Reading", "Schema", "Side", "Source", "Split", "Use", "Value", "draw_split",
    "standing", "table_from",
]  # fmt: skip
