"""What training leaves: a folder of weights, plan, labels, scores and card, sealed by the hash of its contents."""

import hashlib
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from isocenter.case import table_from
from isocenter.errors import FileError, InputError, LabelError, SealError
from isocenter.image import LabelTable
from isocenter.recipe import Plan
from isocenter.result import Score, canonical

WEIGHTS = "weights.safetensors"
DESCRIPTION = "model.json"
CARD = "card.md"
MANIFEST = "manifest.json"

_FORMAT = 2  # 1 knew segmentation only
# bytes per value of the kinds of tensor that weights are kept in
_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is known of a model beside its weights.

    Args:
        plan: That it was trained by, and that reading obeys.
        table: What its labels mean; None where it answers for whole images (see plan.goal).
        dataset: Id of the version that it learnt from.
        scores: On the validation side of that version.
        volume_errors: Structure to reference over predicted volume, one per validation patient; from them comes the
            interval of a volume that the model finds. 0 stands for a patient in whom it was found and is not there.
        points: Target to the probability from which on the second of two classes is answered, chosen on validation
            patients; a target that is not named here answers its most likely class.
        residuals: Truth less answer of a number, one per validation patient; from them comes its interval.
        facts: Whatever else a reader of the card should know, such as "patients learnt from".
        created: UTC, ISO 8601.
        version: Of isocenter.

    Raises:
        InputError: A ratio of volumes below 0 or not finite.
    """

    plan: Plan
    table: LabelTable | None
    dataset: str
    scores: tuple[Score, ...] = ()
    volume_errors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    points: Mapping[str, float] = field(default_factory=dict)
    residuals: tuple[float, ...] = ()
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    created: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        for structure, ratios in self.volume_errors.items():
            strange = [ratio for ratio in ratios if not 0 <= ratio < math.inf]
            if strange:
                raise InputError(
                    f"A ratio of volumes of {structure!r} is {strange[0]}; leave out patients in whom it is not known."
                )

    def to_document(self) -> dict[str, Any]:
        """Return the description as nested plain JSON values."""
        return {
            "format": _FORMAT,
            "plan": self.plan.to_document(),
            "table": None if self.table is None else asdict(self.table),
            "dataset": self.dataset,
            "scores": [score.to_json() for score in self.scores],
            "volume_errors": {name: list(ratios) for name, ratios in self.volume_errors.items()},
            "points": dict(self.points),
            "residuals": list(self.residuals),
            "facts": dict(self.facts),
            "created": self.created,
            "version": self.version,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Description":
        """Return the description that `to_document` made.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        return cls(
            plan=Plan.from_document(document["plan"]),
            table=None if document["table"] is None else table_from(document["table"]),
            dataset=document["dataset"],
            scores=tuple(Score.from_json(score) for score in document["scores"]),
            volume_errors={name: tuple(ratios) for name, ratios in document["volume_errors"].items()},
            points={target: float(point) for target, point in document["points"].items()},
            residuals=tuple(document["residuals"]),
            facts=dict(document["facts"]),
            created=document["created"],
            version=document["version"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model's folder, whose every byte was checked when it was opened.

    Args:
        folder: Where it lies.
        id: sha256 in hex of its manifest, and by that of every byte of it.
        description: What is known of it.
        files: Name to sha256 of each file but the manifest.
    """

    folder: Path
    id: str
    description: Description
    files: Mapping[str, str]

    @property
    def plan(self) -> Plan:
        """The plan that it was trained by."""
        return self.description.plan

    @property
    def answers_voxels(self) -> bool:
        """Whether it labels every voxel; else it answers once for the whole image."""
        return self.description.table is not None

    @property
    def table(self) -> LabelTable:
        """What its labels mean.

        Raises:
            LabelError: It answers for whole images and has no labels.
        """
        if self.description.table is None:
            raise LabelError(f"Model {self.id[:12]} answers for whole images; it outlines nothing.")
        return self.description.table

    @property
    def dataset(self) -> str:
        """Id of the version of the data set that it learnt from."""
        return self.description.dataset

    @property
    def scores(self) -> tuple[Score, ...]:
        """On the validation side of that version."""
        return self.description.scores

    @property
    def volume_errors(self) -> Mapping[str, tuple[float, ...]]:
        """Structure to reference over predicted volume, one per validation patient."""
        return self.description.volume_errors

    @property
    def weights(self) -> Path:
        """The safetensors file."""
        return self.folder / WEIGHTS


def write_model(folder: Path, *, weights: Path, description: Description, card: str) -> Model:
    """Write a model's folder; it appears whole or not at all.

    Args:
        folder: That does not exist yet.
        weights: A safetensors file; it is copied.
        description: What is known of it.
        card: Its text, in Markdown (see models.card.write_card).

    Raises:
        FileError: The folder exists, the weights are no safetensors file, or the disk is full.
    """
    check_weights(weights)
    if folder.exists():
        raise FileError(f"There is something at {folder.name} already; a model never replaces another.")
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        shutil.copyfile(weights, aside / WEIGHTS)
        (aside / DESCRIPTION).write_bytes(canonical(description.to_document()))
        (aside / CARD).write_text(card, encoding="utf-8", newline="\n")
        files = {name: _sha256(aside / name) for name in (CARD, DESCRIPTION, WEIGHTS)}
        (aside / MANIFEST).write_bytes(canonical({"format": _FORMAT, "files": files}))
        aside.rename(folder)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise FileError(f"The model {folder.name} cannot be written: {error.strerror}.") from error
    return read_model(folder)


def read_model(folder: Path) -> Model:
    """Return the model in a folder, each byte of it checked against its manifest.

    Raises:
        FileError: Not a model's folder, or from a newer version of isocenter.
        SealError: A file was changed, added or taken away since the model was made.
    """
    sealed, files = _manifest(folder)
    for name, digest in sorted(files.items()):
        path = folder / name
        if not path.is_file():
            raise SealError(f"Model {folder.name}: {name} is gone. Fetch the model again from where it was made.")
        if _sha256(path) != digest:
            raise SealError(
                f"Model {folder.name}: {name} is not the file that was sealed; it was changed after training. "
                "Fetch the model again from where it was made."
            )
    strange = sorted(path.name for path in folder.iterdir() if path.name not in {*files, MANIFEST})
    if strange:
        raise SealError(f"Model {folder.name}: {strange[0]} was added after it was sealed. Take it out.")
    check_weights(folder / WEIGHTS)
    try:
        description = Description.from_document(json.loads((folder / DESCRIPTION).read_bytes()))
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"Model {folder.name}: {DESCRIPTION} does not describe a model ({error}).") from error
    return Model(folder=folder, id=hashlib.sha256(sealed).hexdigest(), description=description, files=files)


def check_weights(path: Path) -> None:
    """Do nothing where a file has the form of safetensors: a JSON header, then tensors without gap or overlap.

    Raises:
        FileError: It has not.

    Source: the safetensors format, version 0.x, as its documentation describes it.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = path.stat().st_size
            if not 2 <= length <= min(size - 8, 100_000_000):
                raise FileError(f"{path.name} is no safetensors file: its header would hold {length} bytes.")
            header = json.loads(file.read(length))
        end = _end_of_tensors(header)
    except OSError as error:
        raise FileError(f"The weights {path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path.name} is no safetensors file: its header cannot be read ({error}).") from error
    if end != size - 8 - length:
        raise FileError(f"{path.name} holds {size - 8 - length} bytes of tensors, its header speaks of {end}.")


def _end_of_tensors(header: Mapping[str, Any]) -> int:
    """Return how many bytes the tensors of a header take; ValueError where they leave gaps or overlap."""
    spans = []
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        start, end = tensor["data_offsets"]
        if end - start != math.prod(tensor["shape"]) * _WIDTHS[tensor["dtype"]]:
            raise ValueError(f"{name} has another length than its shape")
        spans.append((start, end))
    reached = 0
    for start, end in sorted(spans):
        if start != reached:
            raise ValueError("tensors overlap or leave gaps")
        reached = end
    return reached


def _manifest(folder: Path) -> tuple[bytes, dict[str, str]]:
    try:
        sealed = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise FileError(f"{folder.name} is not a model's folder: it has no {MANIFEST}.") from error
    try:
        document = json.loads(sealed)
        files = {str(name): str(digest) for name, digest in document["files"].items()}
        stated = document["format"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SealError(f"Model {folder.name}: {MANIFEST} was changed; it is no manifest any more.") from error
    if isinstance(stated, int) and stated > _FORMAT:
        raise FileError(f"Model {folder.name} was made by a newer isocenter (format {stated}); upgrade to open it.")
    if isinstance(stated, int) and stated < _FORMAT:
        raise FileError(f"Model {folder.name} is of format {stated}, from before this isocenter; train it again.")
    # one content, one form: no byte of the manifest is free to change
    if sealed != canonical({"format": _FORMAT, "files": files}) or set(files) != {CARD, DESCRIPTION, WEIGHTS}:
        raise SealError(f"Model {folder.name}: {MANIFEST} was changed after the model was made.")
    return sealed, files


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
