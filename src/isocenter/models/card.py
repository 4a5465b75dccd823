"""A model's card: what it is for, how well it does, and where it must not be trusted."""

from collections.abc import Iterator, Sequence

from isocenter.models.model import Description
from isocenter.recipe import Channel, Plan
from isocenter.result import Score

# below it a 95 % interval of a mean says little about the next patient (rule of thumb, stated as such in the card)
_FEW = 20


def write_card(description: Description) -> str:
    """Return a model's card in Markdown, made of nothing but what is known of it.

    Source: the headings follow Mitchell et al. 2019 (FAT*), Model Cards for Model Reporting.
    """
    sections = (
        "# Model card",
        _purpose(description),
        _input(description.plan),
        _training(description),
        _scores(description.scores),
        _limits(description),
        _decisions(description.plan),
    )
    return "\n\n".join(sections) + "\n"


def _purpose(description: Description) -> str:
    structures = "\n".join(f"| {label.value} | {label.name} |" for label in description.table)
    regions = "".join(
        f"\n\nTogether: {region.name} = {' + '.join(map(str, region.values))}." for region in description.table.regions
    )
    return (
        f"## What it does\n\n{description.plan.task.capitalize()} of {len(description.table)} structure(s). "
        "For research; not a medical device, not for clinical use.\n\n"
        f"| label | structure |\n|---:|---|\n{structures}{regions}"
    )


def _input(plan: Plan) -> str:
    spacing = " × ".join(f"{step:g}" for step in plan.spacing_mm)
    channels = "\n".join(
        f"| {channel.role} | {_modality(channel)} | {_scaling(channel)} |" for channel in plan.channels
    )
    return (
        f"## What it wants\n\nOne volume for each role, laid to {plan.orientation} and resampled to {spacing} mm "
        f"(slice × row × column).\n\n| role | modality | values |\n|---|---|---|\n{channels}"
    )


def _modality(channel: Channel) -> str:
    return "not known" if channel.modality == "OT" else channel.modality


def _scaling(channel: Channel) -> str:
    scaling = channel.scaling
    if scaling.kind == "zscore":
        return f"each case by its own mean and deviation, clipped at percentiles {scaling.low:g} and {scaling.high:g}"
    unit = "" if channel.unit == "1" else f" {channel.unit}"
    return f"{scaling.low:g} to {scaling.high:g}{unit} ({scaling.kind})"


def _training(description: Description) -> str:
    facts = "".join(f"\n- {name}: {value}" for name, value in description.facts.items())
    return (
        f"## How it was made\n\n- data set: `{description.dataset}`\n- plan: `{description.plan.id}`, "
        f"recipe `{description.plan.recipe}`, seed {description.plan.seed}\n"
        f"- made: {description.created or 'not stated'} by isocenter {description.version or '(not stated)'}{facts}"
    )


def _scores(scores: Sequence[Score]) -> str:
    if not scores:
        return "## How well it does\n\nIt has not been measured. Evaluate it before anything rests on it."
    rows = "\n".join(f"| {score.name} | {score.label} | {score} |" for score in scores)
    return (
        "## How well it does\n\nOn the validation side of its data set, which chose nothing but may still flatter; "
        "the test side is measured by `isocenter evaluate`. 95 % intervals by bootstrap over patients.\n\n"
        f"| measure | structure | value [interval] (patients) |\n|---|---|---|\n{rows}"
    )


def _limits(description: Description) -> str:
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in _known_limits(description))


def _known_limits(description: Description) -> Iterator[str]:
    yield "It knows the scanners, protocols and patients of its data set; elsewhere measure it first."
    yield "It always answers, also where the organ is missing or another part of the body is shown."
    patients = max((score.n for score in description.scores), default=0)
    if patients < _FEW:
        yield f"It was measured on {patients} patient(s), fewer than {_FEW}: its figures may be luck."
    unmeasured = [name for name in description.table.structures if not description.volume_errors.get(name)]
    if unmeasured:
        yield f"Volumes without an interval, for want of patients who have them: {', '.join(unmeasured)}."
    if any(channel.modality == "OT" for channel in description.plan.channels):
        yield "The modality of its training images was not stated, so it cannot refuse another one."


def _decisions(plan: Plan) -> str:
    rows = "\n".join(f"| `{key}` | {_cell(reason)} |" for key, reason in plan.reasons.items())
    return f"## Why it was made so\n\n| choice | reason |\n|---|---|\n{rows}" if rows else "## Why it was made so\n\n—"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
