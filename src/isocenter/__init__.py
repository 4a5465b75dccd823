"""isocenter: medical-imaging AI whose results can be checked, from the archive to a signed report.

The steps are functions, in the order of the way: init, scan, convert, ingest, check, plan, train, evaluate, predict,
report, verify. Names are handed on when they are first asked for: importing isocenter loads neither torch nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isocenter.case import Annotation, Case, Dataset, Fact, Split
    from isocenter.errors import IsocenterError
    from isocenter.image import Affine, Label, LabelTable, Mask, Volume, read_nifti, write_nifti
    from isocenter.pipeline import (
        check,
        convert,
        doctor,
        evaluate,
        export_dataset,
        info,
        ingest,
        init,
        list_kept,
        plan,
        predict,
        prepare,
        remove_kept,
        report,
        scan,
        show_kept,
        train,
        verify,
    )
    from isocenter.recipe import Plan, Recipe, read_recipe
    from isocenter.result import Prediction, Receipt, Score

__version__ = "0.1.0"

_ROOMS = {
    "case": ("Annotation", "Case", "Dataset", "Fact", "Split"),
    "errors": ("IsocenterError",),
    "image": ("Affine", "Label", "LabelTable", "Mask", "Volume", "read_nifti", "write_nifti"),
    "pipeline": (
        "check", "convert", "doctor", "evaluate", "export_dataset", "info", "ingest", "init", "list_kept", "plan",
        "predict", "prepare", "remove_kept", "report", "scan", "show_kept", "train", "verify",
    ),
    "recipe": ("Plan", "Recipe", "read_recipe"),
    "result": ("Prediction", "Receipt", "Score"),
}  # fmt: skip
_HANDED_ON = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Affine", "Annotation", "Case", "Dataset", "Fact", "IsocenterError", "Label", "LabelTable", "Mask", "Plan",
    "Prediction", "Receipt", "Recipe", "Score", "Split", "Volume",
    "check", "convert", "doctor", "evaluate", "export_dataset", "info", "ingest", "init", "list_kept", "plan",
    "predict", "prepare", "read_nifti", "read_recipe", "remove_kept", "report", "scan", "show_kept", "train",
    "verify", "write_nifti",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    room = _HANDED_ON.get(name)
    if room is None:
        raise AttributeError(f"isocenter has no {name!r}")
    return getattr(import_module(f"isocenter.{room}"), name)
