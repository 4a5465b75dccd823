"""What a report tells of a model, from the model's folder and the data set that it learnt from."""

from isocenter.case import Dataset
from isocenter.case.split import SIDES
from isocenter.models.model import Model
from isocenter.result.report import ModelSummary


def summarise(
    model: Model, *, dataset: Dataset | None = None, receipt: str = "", dataset_receipt: str = ""
) -> ModelSummary:
    """Return what a report tells of a model.

    Args:
        model: As opened from its folder.
        dataset: The version that it learnt from; None where it is not at hand: name, terms and patients stay unsaid.
        receipt: Digest of the receipt of its training.
        dataset_receipt: Digest of the receipt of the taking-in of the data set.
    """
    split = dataset.split if dataset is not None else None
    return ModelSummary(
        id=model.id,
        dataset=model.dataset,
        dataset_name=dataset.name if dataset is not None else "",
        licence=dataset.source.licence if dataset is not None else "",
        created=model.description.created,
        patients={side: len(split.patients(side)) for side in SIDES} if split is not None else {},
        scores=model.scores,
        receipt=receipt,
        dataset_receipt=dataset_receipt,
    )
