"""Cases, what readers said of them, and versions of data sets, split by patient."""

from isocenter.case.annotation import UNSIGNED, Annotation, standing
from isocenter.case.case import Case, Fact
from isocenter.case.change import Change, changes_between
from isocenter.case.dataset import Dataset, Entry, Outline, Preparation, table_from
from isocenter.case.freeze import Freeze, Frozen, frozen_among
from isocenter.case.grant import USES, Grant, Use
from isocenter.case.person import persons_of
from isocenter.case.reading import Observation, Reading
from isocenter.case.schema import WHOLE, Asked, Level, Schema, Value
from isocenter.case.source import Source
from isocenter.case.split import SIDES, Side, Split, Stratum, draw_split

__all__ = [
    "SIDES", "UNSIGNED", "USES", "WHOLE", "Annotation", "Asked", "Case", "Change", "Dataset", "Entry", "Fact",
    "Freeze", "Frozen", "Grant", "Level", "Observation", "Outline", "Preparation", "Reading", "Schema", "Side",
    "Source", "Split", "Stratum", "Use", "Value", "changes_between", "draw_split", "frozen_among", "persons_of",
    "standing", "table_from",
]  # fmt: skip
