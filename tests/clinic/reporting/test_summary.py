"""What a report tells of a model comes from the model and from its data set, and is left out where not known."""

from pathlib import Path

from isocenter.case import Dataset, Entry, Source, draw_split
from isocenter.clinic.reporting import summarise
from isocenter.image import LabelTable
from isocenter.models.model import Description, Model
from isocenter.recipe import Channel, Plan, Scaling, Variation
from isocenter.result import Score

SCORE = Score(name="dice", label="liver", value=0.9, low=0.88, high=0.92, n=3)
PLAN = Plan(
    channels=(Channel(role="ct", scaling=Scaling(kind="window", low=-160, high=240)),),
    orientation="SPL", spacing_mm=(1.0, 1.0, 1.0), network="unet", width=8, depth=2, patch=(16, 16, 16), batch=2,
    steps=10, minutes=0.0, rate=1e-3, weight_decay=0.0, average=0.0, precision="fp32", foreground=0.5,
    variation=Variation(), overlap=0.5, flips=(), fold=None, seed=0, recipe="r", dataset="d",
)  # fmt: skip


def model(dataset: str) -> Model:
    description = Description(
        plan=PLAN, table=LabelTable.of("liver"), dataset=dataset, scores=(SCORE,), created="2026-11-21T00:00:00Z"
    )
    return Model(folder=Path("model"), id="0" * 64, description=description, files={})


def test_patients_are_counted_by_side() -> None:
    names = [f"p{place:02d}" for place in range(20)]
    dataset = Dataset(
        name="livers",
        entries=tuple(Entry(id=name, patient=name, volumes={"ct": "0" * 64}) for name in names),
        table=LabelTable.of("liver"),
        split=draw_split(dict.fromkeys(names, "")),
        source=Source(licence="CC-BY-4.0"),
    )
    told = summarise(model(dataset.id), dataset=dataset, receipt="a" * 64)
    assert sum(told.patients.values()) == 20
    assert told.patients["test"] == 3
    assert (told.dataset_name, told.licence, told.receipt) == ("livers", "CC-BY-4.0", "a" * 64)
    assert told.scores == (SCORE,)


def test_what_is_not_known_stays_unsaid() -> None:
    told = summarise(model("d" * 64))
    assert told.dataset == "d" * 64
    assert (told.dataset_name, told.patients) == ("", {})
