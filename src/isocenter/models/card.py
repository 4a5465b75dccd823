"""A model's card: what it is for, how well it does, and where it must not be trusted."""

from collections.abc import Iterator, Mapping

from isocenter.image import LabelTable
from isocenter.models.model import Description
from isocenter.recipe import Channel, Goal, Plan

# below it a 95 % interval of a mean says little about the next patient (rule of thumb, stated as such in the card)
_FEW = 20


def write_card(description: Description) -> str:
    """Return a model's card in Markdown, made of nothing but what is known of it.

    Source: the headings follow Mitchell et al. 2019 (FAT*), Model Cards for Model Reporting.
    """
    sections = (
        "# Model card",
        _purpose(description),
        _input(description),
        _training(description),
        _scores(description),
        _limits(description),
        _decisions(description.plan),
    )
    return "\n\n".join(sections) + "\n"


def _purpose(description: Description) -> str:
    return (
        f"## What it does\n\n{description.plan.task.capitalize()}. "
        "For research; not a medical device, not for clinical use.\n\n"
        f"{_answers(description.plan.goal) if description.table is None else _structures(description.table)}"
    )


def _structures(table: LabelTable) -> str:
    rows = "\n".join(f"| {label.value} | {label.name} |" for label in table)
    regions = "".join(
        f"\n\nTogether: {region.name} = {' + '.join(map(str, region.values))}." for region in table.regions
    )
    return f"| label | structure |\n|---:|---|\n{rows}{regions}"


def _answers(goal: Goal) -> str:
    target = ", ".join(goal.target)
    if goal.number is not None:
        unit = "" if goal.number.unit == "1" else f" {goal.number.unit}"
        return f"It answers {target}; it has learnt from {goal.number.low:g} to {goal.number.high:g}{unit}."
    rows = "\n".join(f"| {answer} | {count} |" for answer, count in zip(goal.answers, goal.counts, strict=True))
    return f"It answers {target}.\n\n| answer | cases learnt from |\n|---|---:|\n{rows}"


def _input(description: Description) -> str:
    channels = "\n".join(
        f"| {channel.role} | {_modality(channel)} | {_scaling(channel)} |" for channel in description.plan.channels
    )
    return (
        f"## What it wants\n\nOne image for each role. {_brought(description)}\n\n"
        f"| role | modality | values |\n|---|---|---|\n{channels}{_restored(description.plan)}"
    )


def _restored(plan: Plan) -> str:
    """Return what the model does to images before all else."""
    lines = "".join(
        f"\n- {channel.role}: {', '.join(line['step'] for line in channel.restoration)}"
        for channel in plan.channels
        if channel.restoration
    )
    return f"\n\nBefore all else it restores them by itself, so give them as they come:\n{lines}" if lines else ""


def _brought(description: Description) -> str:
    """Return what happens to an image before the network sees it."""
    plan = description.plan
    if description.table is None and plan.dimensions == "2-D":
        _, rows, columns = plan.patch
        return f"A picture is brought to {rows} × {columns} pixels, its aspect kept."
    if not plan.channels[0].has_size:
        return "A picture is read pixel by pixel, whatever a pixel measures."
    steps = plan.spacing_mm[1:] if plan.dimensions == "2-D" else plan.spacing_mm
    spacing = " × ".join(f"{step:g}" for step in steps)
    if plan.dimensions == "2-D":
        return f"A picture is resampled to {spacing} mm (row × column)."
    laid = f"A stack is laid to {plan.orientation} and resampled to {spacing} mm (slice × row × column)"
    if description.table is not None:
        return f"{laid}."
    return f"{laid}; {' × '.join(map(str, plan.patch))} voxels around its middle are seen."


def _modality(channel: Channel) -> str:
    return "not known" if channel.modality == "OT" else channel.modality


def _scaling(channel: Channel) -> str:
    scaling = channel.scaling
    colours = ", in colour" if channel.colours == 3 else ""
    if scaling.kind == "zscore":
        clipped = f"clipped at percentiles {scaling.low:g} and {scaling.high:g}"
        return f"each case by its own mean and deviation, {clipped}{colours}"
    # values of restored images are in whatever unit the steps have left
    unit = "" if channel.unit == "1" or channel.restoration else f" {channel.unit}"
    return f"{scaling.low:g} to {scaling.high:g}{unit} ({scaling.kind}){colours}"


def _training(description: Description) -> str:
    facts = "".join(f"\n- {name}: {value}" for name, value in description.facts.items())
    return (
        f"## How it was made\n\n- data set: `{description.dataset}`\n- plan: `{description.plan.id}`, "
        f"recipe `{description.plan.recipe}`, seed {description.plan.seed}\n"
        f"- made: {description.created or 'not stated'} by isocenter {description.version or '(not stated)'}{facts}"
    )


def _scores(description: Description) -> str:
    scores = description.scores
    if not scores:
        return "## How well it does\n\nIt has not been measured. Evaluate it before anything rests on it."
    rows = "\n".join(f"| {score.name} | {score.label} | {score} |" for score in scores)
    return (
        "## How well it does\n\nOn the validation side of its data set, which did not teach it but may still flatter; "
        "the test side is measured by `isocenter evaluate`. 95 % intervals by bootstrap over patients, exact binomial "
        "ones where all agree.\n\n"
        f"| measure | {'structure' if description.table else 'answer'} | value [interval] (patients) |\n"
        f"|---|---|---|\n{rows}{_points(description.points)}"
    )


def _points(points: Mapping[str, float]) -> str:
    """Return from which probability on each target is answered with yes, or with the second class."""
    if not points:
        return ""
    listed = ", ".join(f"{target} {point:.3f}" for target, point in points.items())
    return (
        f"\n\nOperating points: {listed}. From that probability on the second class, or yes, is answered: where "
        "sensitivity + specificity was largest on these patients, so that both are flattered a little."
    )


def _limits(description: Description) -> str:
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in _known_limits(description))


def _known_limits(description: Description) -> Iterator[str]:
    yield "It knows the scanners, protocols and patients of its data set; elsewhere measure it first."
    yield "It always answers, also where the organ is missing or another part of the body is shown."
    patients = max((score.n for score in description.scores), default=0)
    if patients < _FEW:
        yield f"It was measured on {patients} patient(s), fewer than {_FEW}: its figures may be luck."
    if description.table is None:
        yield from _limits_of_answers(description)
    structures = description.table.structures if description.table else {}
    unmeasured = [name for name in structures if not description.volume_errors.get(name)]
    if unmeasured:
        yield f"Volumes without an interval, for want of patients who have them: {', '.join(unmeasured)}."
    if any(channel.modality == "OT" for channel in description.plan.channels):
        yield "The modality of its training images was not stated, so it cannot refuse another one."


def _limits_of_answers(description: Description) -> Iterator[str]:
    goal = description.plan.goal
    if goal.kind in ("classification", "grading"):
        yield f"It answers one of {', '.join(goal.answers)}, also about an image that shows none of them."
    if goal.number is not None:
        if len(description.residuals) < 2:
            yield "Its number has no interval, for want of validation patients."
        unit = "" if goal.number.unit == "1" else f" {goal.number.unit}"
        yield f"Beyond {goal.number.low:g} to {goal.number.high:g}{unit} it has learnt from nobody."


def _decisions(plan: Plan) -> str:
    rows = "\n".join(f"| `{key}` | {_cell(reason)} |" for key, reason in plan.reasons.items())
    return f"## Why it was made so\n\n| choice | reason |\n|---|---|\n{rows}" if rows else "## Why it was made so\n\n—"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
