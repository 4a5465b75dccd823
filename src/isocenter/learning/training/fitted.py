"""What a run left when it had ended, and the file that says that it has."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from isocenter.errors import TrainingError
from isocenter.learning.training.aside import written_aside
from isocenter.learning.training.progress import Progress
from isocenter.learning.training.run import CHECKPOINT, WEIGHTS
from isocenter.recipe import Plan

FITTED, PREPARED = "fitted.json", "prepared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a run left.

    Args:
        weights: A safetensors file of the averaged weights.
        steps, seconds: Taken in all, earlier sittings counted.
        scores: Figures of the validation cases looked at (see Material.look); for watching, not for quoting.
        history: The run's moments in order: what curves are drawn from.
        notices: What a person should know.
    """

    weights: Path
    steps: int
    seconds: float
    scores: Mapping[str, float] = field(default_factory=dict)
    history: tuple[Progress, ...] = ()
    notices: tuple[str, ...] = ()


def write_fitted(folder: Path, fitted: Fitted, *, plan: Plan) -> None:
    """Say in a run's folder that it has ended, and take away what only a run at work needs.

    Raises:
        TrainingError: The disk is full.
    """
    said = {
        "plan": plan.id, "steps": fitted.steps, "seconds": fitted.seconds, "scores": dict(fitted.scores),
        "history": [moment.to_document() for moment in fitted.history], "notices": list(fitted.notices),
    }  # fmt: skip
    text = json.dumps(said, indent=1)
    with written_aside(folder / FITTED, size=len(text)) as aside:
        aside.write_text(text, encoding="utf-8")
    _tidy(folder)


def kept_fitted(folder: Path, *, plan: Plan) -> Fitted | None:
    """Return what a run of a plan left in a folder; None where it has not ended.

    Raises:
        TrainingError: The file that says so is damaged.
    """
    try:
        said = json.loads((folder / FITTED).read_text(encoding="utf-8"))
        if said["plan"] != plan.id or not (folder / WEIGHTS).is_file():
            return None
        fitted = Fitted(
            weights=folder / WEIGHTS, steps=said["steps"], seconds=said["seconds"], scores=said["scores"],
            history=tuple(Progress.from_document(moment) for moment in said["history"]),
            notices=tuple(said["notices"]),
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{FITTED} in the run's folder is damaged. Delete it to start the run anew.") from error
    _tidy(folder)  # it may have been killed just before
    return fitted


def _tidy(folder: Path) -> None:
    for name in (CHECKPOINT, f".{CHECKPOINT}.part"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / PREPARED, ignore_errors=True)
