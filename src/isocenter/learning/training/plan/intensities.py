"""Which volumes the network is shown, and how their values are scaled."""

from isocenter.errors import PlanError
from isocenter.learning.training.fingerprint import Fingerprint, Values
from isocenter.plugins import did_you_mean
from isocenter.recipe import Channel, Recipe, Scaling
from isocenter.recipe.recipe import Intensities


def channels(recipe: Recipe, fingerprint: Fingerprint, *, reasons: dict[str, str]) -> tuple[Channel, ...]:
    """Return the input channels in order.

    Raises:
        PlanError: The recipe asks for a role that not every case has.
    """
    asked = recipe.tasks.volumes
    for role in asked or ():
        if role in fingerprint.some_roles:
            raise PlanError(f"tasks.volumes asks for {role!r}, which only some of the cases have.")
        if role not in fingerprint.values:
            known = did_you_mean(role, list(fingerprint.values))
            raise PlanError(f"tasks.volumes asks for {role!r}, which no case has. {known}")
    roles = asked or tuple(fingerprint.values)
    left = f"; {', '.join(fingerprint.some_roles)} only some have" if fingerprint.some_roles else ""
    reasons["tasks.volumes"] = "as the recipe asks" if asked else f"every case has {', '.join(roles)}{left}"
    made = []
    for role in roles:
        values = fingerprint.values[role]
        scaling, why = _scaling(recipe, values)
        reasons[f"inference.intensity ({role})"] = why
        made.append(
            Channel(
                role=role, scaling=scaling, modality=values.modality, unit=values.unit, colours=values.colours,
                has_size=values.has_size,
            )
        )  # fmt: skip
    return tuple(made)


def _scaling(recipe: Recipe, values: Values) -> tuple[Scaling, str]:
    asked = recipe.inference.intensity
    window = recipe.inference.window_hu
    if window is not None and values.unit == "HU" and asked in (None, "window"):
        return _between("window", *window), f"the recipe's window of {window[0]:g} to {window[1]:g} HU as -1 to 1"
    if asked == "window" and values.unit != "HU":
        return _zscore(), f"a window is in HU and this is {values.modality} without a unit: z-score by case"
    if (asked is None and values.unit == "HU") or asked == "percentiles":
        spread = values.inside_spread if values.inside_spread > 0 else 1.0
        scaling = Scaling(
            kind="percentiles", low=values.inside_low, high=values.inside_high, shift=values.inside_mean, scale=spread
        )
        said = "as the recipe asks" if asked else "HU mean the same in every case"
        span = f"{values.inside_low:.0f} to {values.inside_high:.0f}"
        return scaling, f"{said}: clipped to {span}, where 99 % of the structures' voxels lie, then centred"
    if asked in ("unit", "symmetric"):
        said = f"as the recipe asks: {values.low:.4g} to {values.high:.4g}, 99 % of all voxels, as "
        return _between(asked, values.low, values.high), said + ("0 to 1" if asked == "unit" else "-1 to 1")
    said = "as the recipe asks" if asked else f"values of {values.modality} have no unit and shift from scan to scan"
    return _zscore(), f"{said}: each case is centred and divided by its own spread"


def _zscore() -> Scaling:
    return Scaling(kind="zscore", low=0.5, high=99.5)


def _between(kind: Intensities, low: float, high: float) -> Scaling:
    span = high - low if high > low else 1.0
    if kind == "unit":
        return Scaling(kind=kind, low=low, high=high, shift=low, scale=span)
    return Scaling(kind=kind, low=low, high=high, shift=(low + high) / 2, scale=span / 2)
