"""What a step hands back, and the public form of it (docs/reference/json.md)."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from isocenter.case import Dataset
from isocenter.intake.issue import Issue
from isocenter.intake.strata import is_labelled, label_names
from isocenter.pipeline.public import document, known
from isocenter.recipe import Plan, decisions_of
from isocenter.recipe.plan import Estimate
from isocenter.result import Prediction, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised:
    """A store that is ready: where it lies, and the fingerprint of the key that signs there.

    Args:
        requires_source: Whether it takes nothing in without a source of the register.
    """

    store: str
    key: str
    requires_source: bool

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `init`."""
        return document("init", store=self.store, key=self.key, requires_source=self.requires_source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A volume written in another form."""

    out: Path
    modality: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `convert`."""
        return document(
            "convert",
            out=str(self.out),
            modality=self.modality,
            shape=list(self.shape),
            spacing_mm=[known(mm) for mm in self.spacing_mm],
            seconds=self.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """A folder taken in as a version of a data set."""

    dataset: Dataset
    layout: str
    why: str
    issues: tuple[Issue, ...]
    receipt: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `ingest`."""
        entries, split = self.dataset.entries, self.dataset.split
        names = label_names([entry.facts for entry in entries], has_outlines=self.dataset.table is not None)
        sides = {} if split is None else {side: len(split.patients(side)) for side in ("train", "validation", "test")}
        return document(
            "ingest",
            name=self.dataset.name,
            dataset=self.dataset.id,
            layout=self.layout,
            why=self.why,
            cases=len(entries),
            patients=len({entry.patient for entry in entries}),
            labelled=sum(bool(entry.outlines) or is_labelled(entry.facts, names) for entry in entries),
            sides=sides,
            issues=[issue_document(issue) for issue in self.issues],
            left_out=list(self.dataset.left_out),
            receipt=self.receipt,
            seconds=self.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found wrong with a data set or a folder; `dataset` is None for a folder."""

    name: str
    dataset: str | None
    cases: int
    issues: tuple[Issue, ...]

    @property
    def held(self) -> bool:
        """Whether nothing stops."""
        return all(issue.severity != "stop" for issue in self.issues)

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `check`."""
        return document(
            "check",
            name=self.name,
            dataset=self.dataset,
            cases=self.cases,
            issues=[issue_document(issue) for issue in self.issues],
            held=self.held,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and the run that will obey it."""

    run: str
    plan: Plan

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `plan`."""
        values = self.plan.to_document()
        del values["reasons"]
        decisions = [asdict(decision) for decision in decisions_of(self.plan)]
        ids = {"run": self.run, "recipe": values.pop("recipe"), "dataset": values.pop("dataset")}
        return document("plan", **ids, plan=values, decisions=decisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model, how it does on validation patients, and the run that left it.

    Args:
        reused: The run was finished before; nothing was trained now.
        memory_bytes: The most that this process has held.
        estimate: What the plan expected, where it was asked; None for a run of before.
        page: run.html with the curves; None where the run was removed since.
    """

    model: str
    folder: Path
    dataset: str
    run: str
    recipe: str
    seconds: float
    memory_bytes: int
    estimate: Estimate | None
    reused: bool
    scores: tuple[Score, ...]
    page: Path | None
    receipt: str

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `train`."""
        return document(
            "train",
            model=self.model,
            dataset=self.dataset,
            run=self.run,
            recipe=self.recipe,
            seconds=self.seconds,
            memory_bytes=self.memory_bytes,
            estimate=None if self.estimate is None else asdict(self.estimate),
            reused=self.reused,
            scores=scores_document(self.scores),
            page=None if self.page is None else str(self.page),
            receipt=self.receipt,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """How a model does on cases that it has not seen.

    Args:
        side: "test" of the version that it learnt from, or "all" cases of another one.
        learnt_from: How many of the cases are of patients, or hold images, that it learnt from; above 0 the scores
            flatter it. None where that cannot be known.
        rows: Of outlines (case, structure, measure, value) as measured; of whole images what was true and what was
            answered (see AnswerRow).
        notes: What a reader of the scores must know.
    """

    model: str
    dataset: str
    side: str
    cases: int
    learnt_from: int | None
    scores: tuple[Score, ...]
    subgroups: Mapping[str, tuple[Score, ...]]
    rows: tuple[Mapping[str, Any], ...]
    receipt: str
    seconds: float
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `evaluate`."""
        return document(
            "evaluate",
            model=self.model,
            dataset=self.dataset,
            side=self.side,
            cases=self.cases,
            learnt_from=self.learnt_from,
            scores=scores_document(self.scores),
            subgroups={name: scores_document(scores) for name, scores in self.subgroups.items()},
            rows=[dict(row) for row in self.rows],
            notes=list(self.notes),
            receipt=self.receipt,
            seconds=self.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """A prediction, and the folder that it was written to."""

    prediction: Prediction
    out: Path

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `predict`."""
        return {**prediction_document(self.prediction), "out": str(self.out)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The reports that were written."""

    files: tuple[Path, ...]
    receipt: str

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `report`."""
        return document("report", files=[str(path) for path in self.files], receipt=self.receipt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A chain of receipts that holds: (step, what holds) for each link, the newest first.

    Args:
        key: Fingerprint of the key that signed every link.
        is_own: It is the key of the store at hand.
    """

    thing: str
    key: str
    is_own: bool
    links: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `verify`."""
        links = [{"step": step, "says": says} for step, says in self.links]
        return document("verify", thing=self.thing, key=self.key, is_own=self.is_own, links=links)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the store keeps of one kind: rows of a list, one thing, or what was removed."""

    step: str
    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `list`, `show` or `remove`."""
        return document(self.step, kind=self.kind, **self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Versioned:
    """What was said of versions, or done with one.

    Args:
        deed: "listed", "pinned" or "frozen".
        fields: What belongs to that.
    """

    deed: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the public document of a command of `version`."""
        return document("version", deed=self.deed, **self.fields)


def prediction_document(prediction: Prediction) -> dict[str, Any]:
    """Return what stands in prediction.json."""
    return document(
        "predict",
        case=prediction.case,
        model=prediction.model,
        dataset=prediction.dataset,
        verdict={"decision": prediction.verdict.decision, "reasons": list(prediction.verdict.reasons)},
        volumes=scores_document(prediction.volumes),
        seconds=prediction.seconds["total"],
        timings=dict(prediction.seconds),
        runtime=dict(prediction.runtime) or None,
        input=dict(prediction.input),
        answers=[answer.to_json() for answer in prediction.answers],
        labels=None if prediction.table is None else asdict(prediction.table),
        plan=dict(prediction.plan),
        files=dict(prediction.files),
        receipts=list(prediction.receipts),
    )


def scores_document(scores: Iterable[Score]) -> list[dict[str, Any]]:
    """Return scores in their public form."""
    return [dict(score.to_json()) for score in scores]


def issue_document(issue: Issue) -> dict[str, Any]:
    """Return an issue in its public form."""
    return {
        "check": issue.check,
        "where": issue.where,
        "figure": issue.figure,
        "limit": issue.limit,
        "mend": issue.mend,
        "severity": issue.severity,
    }
