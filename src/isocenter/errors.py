"""Every error that isocenter raises on purpose, and the exit code that a door gives for it.

IsocenterError                  1
├── InputError                  3   what was given cannot be used as it is
│   ├── FileError                   a file cannot be read, or is damaged
│   ├── SeriesError                 DICOM files that do not make one volume
│   ├── GridError                   two grids that should be one
│   ├── LabelError                  labels outside their table, or missing
│   ├── LayoutError                 a folder whose layout is not known or does not hold together
│   ├── SplitError                  a data set that cannot be split as asked
│   └── RecipeError                 an unknown key, or a value that cannot be
├── NotFoundError               4   no thing of that name
├── ProofError                  5   something was checked and does not hold
│   ├── SealError                   a receipt or its signature does not match
│   ├── TermsError                  a use that the source of the data does not grant, or no longer
│   └── FrozenError                 a case of a frozen test side where one would learn from it
├── StoreError                  6   the store cannot be used: newer, busy, full, not one
├── TrainingError               7   a run that cannot go on, or learns nothing
│   └── PlanError                   a plan that cannot be obeyed on this machine
├── MissingExtraError           8   a part of isocenter that is not installed
└── PeerError                   9   another machine does not answer, or refuses
    └── DroppedError                the connection was lost on the way; asking again may help

A door turns any of them into its exit code (or HTTP status) and its message into words on the screen.
"""

from typing import ClassVar


class IsocenterError(Exception):
    """Anything that isocenter refuses, in words for the person who asked."""

    exit_code: ClassVar[int] = 1


class InputError(IsocenterError, ValueError):
    """What was given cannot be used as it is."""

    exit_code = 3


class FileError(InputError):
    """A file cannot be read, or is damaged."""


class SeriesError(InputError):
    """DICOM files that do not make one volume."""


class GridError(InputError):
    """Two grids that should be one, or a matrix that is no grid."""


class LabelError(InputError):
    """Labels outside their table, or missing."""


class LayoutError(InputError):
    """A folder whose layout is not known or does not hold together."""


class SplitError(InputError):
    """A data set that cannot be split as asked."""


class RecipeError(InputError):
    """An unknown key, or a value that cannot be."""


class NotFoundError(IsocenterError, LookupError):
    """No thing of that name."""

    exit_code = 4


class ProofError(IsocenterError):
    """Something was checked and does not hold."""

    exit_code = 5


class SealError(ProofError):
    """A receipt or its signature does not match."""


class TermsError(ProofError):
    """A use that the source of the data does not grant, or no longer."""


class FrozenError(ProofError):
    """A case of a frozen test side stands where one would learn from it."""


class StoreError(IsocenterError, OSError):
    """The store cannot be used: newer, busy, full, or not a store."""

    exit_code = 6


class TrainingError(IsocenterError, RuntimeError):
    """A run that cannot go on, or learns nothing."""

    exit_code = 7


class PlanError(TrainingError):
    """A plan that cannot be obeyed on this machine."""


class MissingExtraError(IsocenterError, ImportError):
    """A part of isocenter that is not installed; the message names the extra."""

    exit_code = 8


class PeerError(IsocenterError, ConnectionError):
    """Another machine does not answer, or refuses what was asked of it."""

    exit_code = 9


class DroppedError(PeerError):
    """The connection to another machine was lost on the way; asking again may help."""
