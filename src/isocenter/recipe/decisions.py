"""A plan as people and programs read it: each decision by the recipe's key, its value, and its reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from isocenter.recipe.plan import Plan

_AS_ASKED = "as the recipe says"
_AS_LEARNT = "as the cases to learn from say"
_LEARNT = ("answers", "number")
_MANY = 12  # numbers spelt out; of a cohort a step may have learnt a hundred
_ESTIMATE = {"memory_bytes", "seconds"}
# a plan's field -> the recipe's key that asks for it; goal, channels and variation answer several keys
_KEYS = {
    "dimensions": "models.dimensions", "neighbours": "models.neighbours", "network": "models.network",
    "width": "models.width", "depth": "models.depth", "dropout": "models.dropout",
    "patch": "training.patch", "batch": "training.batch", "minutes": "training.minutes", "steps": "training.steps",
    "rate": "training.rate", "weight_decay": "training.weight_decay", "l1": "training.l1",
    "average": "training.average", "precision": "training.precision", "foreground": "training.foreground",
    "deterministic": "training.deterministic", "fold": "training.fold", "patients": "training.patients",
    "seed": "training.seed",
    "orientation": "inference.orientation", "spacing_mm": "inference.spacing_mm", "overlap": "inference.overlap",
    "flips": "inference.flips", "runtime": "inference.runtime",
    "mix": "transforms.mix",
}  # fmt: skip
# left out unless they say something: nobody asked, and nothing was decided
_SILENT = (
    "training.fold", "training.patients", "training.minutes", "training.l1", "training.deterministic",
    "inference.flips", "transforms.flips", "transforms.mix", "tasks.loss", "tasks.class_weights",
    "tasks.label_smoothing", "models.neighbours", "estimate",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One choice of a plan.

    Args:
        key: As the recipe asks for it, such as "training.patch".
        value: As plain JSON values; None where the reason speaks of no single value.
        reason: In plain English.
    """

    key: str
    value: Any
    reason: str

    @property
    def written(self) -> str:
        """The value as people read it, in a line; empty where there is none."""
        return "" if self.value is None else in_a_line(self.value)


def decisions_of(plan: Plan) -> tuple[Decision, ...]:
    """Return every decision of a plan, what is learnt first, and at the end the reasons that speak of no single value.

    A choice that nobody asked for, of which nothing was decided, is left out.
    """
    reasons = dict(plan.reasons)
    found = []
    for key, value in _values(plan):
        known = key if key in reasons else key.rpartition(".")[2]  # reasons may bear a key without its section
        told = reasons.pop(known, "")
        if not told and key in _SILENT and not value:
            continue
        found.append(
            Decision(
                key=known if told else key, value=value, reason=told or (_AS_LEARNT if key in _LEARNT else _AS_ASKED)
            )
        )
    rest = [Decision(key=key, value=None, reason=reason) for key, reason in reasons.items()]
    return (*found, *rest)


def in_a_line(value: Any) -> str:
    """Return plain JSON values as people read them: four digits that count, "×" between numbers."""
    if isinstance(value, Mapping):
        if set(value) == _ESTIMATE:
            return _estimate(value)
        if "step" in value:
            return _step(value)
        return ", ".join(f"{key} {in_a_line(inner)}" for key, inner in value.items() if inner not in (0, [], "", None))
    if isinstance(value, list | tuple):
        if any(isinstance(inner, str) for inner in value):
            return ", ".join(map(in_a_line, value))
        if len(value) > _MANY and not any(isinstance(inner, Mapping) for inner in value):
            return f"{len(value)} numbers from {in_a_line(min(value))} to {in_a_line(max(value))}"
        apart = "; " if any(isinstance(inner, Mapping) for inner in value) else " × "
        return apart.join(map(in_a_line, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _values(plan: Plan) -> Iterator[tuple[str, Any]]:
    document = plan.to_document()
    yield from _of_goal(document["goal"])
    channels = document["channels"]
    yield "tasks.volumes", list(plan.roles)
    for channel in channels:
        if channel.get("restoration"):
            yield f"restoration.steps ({channel['role']})", channel["restoration"]
    for channel in channels:
        named = f"inference.intensity ({channel['role']})"
        yield named if named in plan.reasons else "inference.intensity", _channel(channel)
    for name, key in _KEYS.items():
        yield key, document.get(name)
    variation = document["variation"]
    yield "transforms.strength", {name: value for name, value in variation.items() if name != "flips"}
    yield "transforms.flips", variation["flips"]
    yield "estimate", document["estimate"]


def _of_goal(goal: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "tasks.kind", goal["kind"]
    if goal["target"]:
        yield "tasks.target", goal["target"]
    if goal["counts"]:
        yield "answers", dict(zip(goal["answers"], goal["counts"], strict=True))
    if goal["number"] is not None:
        yield "number", goal["number"]
    yield "tasks.loss", goal["loss"]
    yield "tasks.class_weights", goal["weights"]
    yield "tasks.label_smoothing", goal["smoothing"]


def _channel(channel: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a channel is scaled, with what is not the usual case: colours, a unit, a modality."""
    usual = {"modality": "OT", "unit": "1", "colours": 1}
    beside = {name: channel[name] for name, value in usual.items() if channel[name] != value}
    return {**channel["scaling"], **beside}


def _step(line: Mapping[str, Any]) -> str:
    """Return a step as people read it: its name, then its parameters."""
    told = ", ".join(f"{key} {in_a_line(inner)}" for key, inner in line.items() if key != "step")
    return f"{line['step']} ({told})" if told else str(line["step"])


def _estimate(value: Mapping[str, Any]) -> str:
    seconds = value["seconds"]
    lasting = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return f"{value['memory_bytes'] / 1e9:.1f} GB, {lasting}"
