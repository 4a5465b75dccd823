"""Plans of small networks."""

from isocenter.models import network_of
from isocenter.recipe import Channel, Goal, Plan, Scaling, Variation
from isocenter.recipe.goal import Dimensions

# widths at which a test is quick; every network takes them
NARROW = {
    "unet": 8, "dynunet": 8, "segresnet": 8, "unetr": 4, "swinunetr": 12, "resnet": 16, "resnet50": 16,
    "efficientnet": 8, "densenet": 16, "vgg": 8, "inception": 16, "vit": 64, "gru": 8,
}  # fmt: skip


def small_plan(
    name: str,
    dimensions: Dimensions = "2-D",
    *,
    patch: tuple[int, int, int] = (1, 64, 64),
    width: int | None = None,
    kind: str = "classification",
    **changes: object,
) -> Plan:
    row = network_of(name)
    known: dict[str, object] = {
        "goal": Goal(kind=kind),
        "dimensions": dimensions,
        "orientation": "SPL",
        "spacing_mm": (1.0, 1.0, 1.0),
        "channels": (Channel(role="image", scaling=Scaling(kind="unit", low=0.0, high=1.0)),),
        "network": name,
        "width": width or NARROW[name],
        "depth": row.depth or 3,
        "patch": patch,
        "batch": 2,
        "steps": 1,
        "minutes": 0.0,
        "rate": 1e-3,
        "weight_decay": 0.0,
        "average": 0.9,
        "precision": "fp32",
        "foreground": 0.5,
        "variation": Variation(),
        "overlap": 0.5,
        "flips": (),
        "fold": None,
        "seed": 0,
        "recipe": "r",
        "dataset": "d",
    }
    return Plan(**(known | changes))  # type: ignore[arg-type]
