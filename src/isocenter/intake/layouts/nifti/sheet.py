"""What a dataset.json says: channels, labels, terms, and which files there should be."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.case import Source
from isocenter.errors import LayoutError
from isocenter.image import Label, LabelTable, Region
from isocenter.intake.layouts.document import load_document
from isocenter.intake.layouts.folder import NIFTI_ENDINGS

NAME = "dataset.json"
_MODALITIES = {"mri": "MR", "mr": "MR", "ct": "CT", "pet": "PT", "us": "US", "ultrasound": "US", "cxr": "DX"}
_MR_WORDS = re.compile(r"t1|t2|flair|adc|dwi|swi|pd\b|mr", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One volume of each case: its role, DICOM's modality code, and the unit of its values."""

    role: str
    modality: str

    @property
    def unit(self) -> str:
        """Hounsfield units for CT; nothing is known of others."""
        return "HU" if self.modality == "CT" else "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A dataset.json, read and checked.

    Args:
        training: (image, label) as listed, relative to the folder; empty where the sheet lists none.
        training_count: numTraining; None where it is not said.
    """

    source: Source
    channels: tuple[Channel, ...]
    table: LabelTable
    training: tuple[tuple[str, str], ...]
    training_count: int | None


def read_sheet(folder: Path, *, layout: str) -> Sheet:
    """Return what a folder's dataset.json says.

    Raises:
        LayoutError: There is none, or it lacks channels or labels that make sense.
        LabelError: Labels that cannot be.
    """
    document = load_document(folder / NAME)
    if document is None:
        raise LayoutError(
            f"There is no {NAME} in {folder.name!r}, so nobody says what the labels mean. Write one: "
            '{"channel_names": {"0": "T1"}, "labels": {"background": 0, "tumour": 1}, "file_ending": ".nii.gz"}.'
        )
    ending = document.get("file_ending", ".nii.gz")
    if ending not in NIFTI_ENDINGS:
        raise LayoutError(f"{NAME} says that images end in {ending!r}. Convert them to NIfTI (.nii.gz) first.")
    return Sheet(
        source=source_in(document, layout=layout),
        channels=_channels(document.get("channel_names", document.get("modality"))),
        table=label_table(document.get("labels")),
        training=_listed(document.get("training")),
        training_count=_whole(document.get("numTraining")),
    )


def _channels(stated: object) -> tuple[Channel, ...]:
    if not isinstance(stated, Mapping) or not stated:
        raise LayoutError(f'{NAME} names no channel. Add \'channel_names\', such as {{"0": "T1"}}.')
    numbers = sorted(stated, key=lambda key: (_whole(key) is None, _whole(key) or 0))
    if [_whole(number) for number in numbers] != list(range(len(numbers))):
        raise LayoutError(f"{NAME} numbers its channels {', '.join(map(str, stated))}. Number them from 0 on.")
    names = [str(stated[number]).strip() for number in numbers]
    if len(names) == 1:
        return (Channel(role="image", modality=_modality(names[0])),)
    roles = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in names]
    if len(set(roles)) < len(roles) or not all(roles):
        raise LayoutError(f"{NAME} calls its channels {', '.join(names)}. Give each a name of its own.")
    return tuple(Channel(role=role, modality=_modality(name)) for role, name in zip(roles, names, strict=True))


def _modality(name: str) -> str:
    known = _MODALITIES.get(name.lower().split(" ")[0].split("_")[0])
    if known is not None:
        return known
    return "MR" if _MR_WORDS.search(name) else "OT"


def source_in(document: Mapping[str, Any], *, layout: str) -> Source:
    """Return origin and terms as a dataset.json says them."""
    origin = " ".join(str(document[key]) for key in ("reference", "description") if document.get(key))
    licence = str(document.get("licence", document.get("license", "")))
    return Source(name=str(document.get("name", "")), licence=licence, origin=origin, layout=layout)


def label_table(stated: object, *, name: str = NAME) -> LabelTable:
    """Return the label table: {"1": "liver"} as MSD writes it, {"liver": 1, "whole": [1, 2]} as nnU-Net does.

    Args:
        stated: What a document says of its labels.
        name: Of the document, for messages.

    Raises:
        LayoutError: It names no label, or a value that is no whole number.
        LabelError: Labels that cannot be.
    """
    if not isinstance(stated, Mapping) or not stated:
        raise LayoutError(f'{name} names no labels. Add \'labels\', such as {{"background": 0, "tumour": 1}}.')
    named: dict[str, tuple[int, ...]] = {}
    for key, value in stated.items():
        is_msd = isinstance(value, str) and _whole(value) is None
        called, values = (value, key) if is_msd else (key, value)
        numbers = [_whole(one) for one in (values if isinstance(values, Sequence) and not is_msd else [values])]
        if not isinstance(values, str | int | list) or any(number is None or number < 0 for number in numbers):
            raise LayoutError(f"{name}: label {key!r} has the value {value!r}. A label is a whole number from 0.")
        named[str(called)] = tuple(number for number in numbers if number is not None)
    return _table_of(named, document=name)


def _table_of(named: Mapping[str, tuple[int, ...]], *, document: str) -> LabelTable:
    ignore = next((values[0] for name, values in named.items() if name.lower() == "ignore"), None)
    shown = {name: values for name, values in named.items() if name.lower() != "ignore" and values != (0,)}
    names = {values[0]: name for name, values in shown.items() if len(values) == 1}
    inside = {value for values in shown.values() for value in values}
    if not inside:
        raise LayoutError(f"{document} names no label beside the background. Add the structures that are outlined.")
    labels = tuple(Label(value=value, name=names.get(value, f"label {value}")) for value in sorted(inside))
    regions = tuple(Region(name=name, values=values) for name, values in shown.items() if len(values) > 1)
    return LabelTable(labels=labels, regions=regions, ignore=ignore)


def _listed(stated: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(stated, Sequence) or isinstance(stated, str):
        return ()
    pairs = [
        (row["image"], row["label"]) for row in stated if isinstance(row, Mapping) and {"image", "label"} <= set(row)
    ]
    if len(pairs) < len(stated):
        raise LayoutError(f"{NAME}: an entry of 'training' lacks its image or its label. Give both.")
    return tuple((str(image).removeprefix("./"), str(label).removeprefix("./")) for image, label in pairs)


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None
