"""What a person reads of readers' answers: who said how much, how far they agree, what was decided."""

from isocenter.cli.show.data import export_dataset, issues
from isocenter.cli.show.lines import Document, say, table

export_labels = export_dataset
"""Shown as any other export is."""


def import_labels(document: Document) -> None:
    """Say what came in, of whom."""
    issues(document["issues"])
    say(
        f"{document['answers']} answers of {', '.join(document['readers'])} on {document['cases']} cases "
        f"({document['outlines']} with outlines), read as {document['form']}. {_version(document)}"
    )


def read_cases(document: Document) -> None:
    """Say what was served, or what was kept."""
    if document["out"] is not None:
        say(
            f"{document['cases']} cases for {document['reader']} lie in {document['out']}: draw into each mask, "
            "fill in answers.csv, then take them back with --back."
        )
        return
    say(f"{document['cases']} cases of {document['reader']} kept, {document['left']} left. {_version(document)}")


def measure_agreement(document: Document) -> None:
    """Show who read how much, and each figure with its interval."""
    issues(document["issues"])
    rows = [
        (one["reader"], one["cases"], one["outlined"], _figure(one["median_seconds"], "{:.0f} s"),
         _figure(one["mean_certainty"], "{:.0%}"), {True: "yes", False: "no", None: "–"}[one["blinded"]])
        for one in document["readers"]
    ]  # fmt: skip
    table(("reader", "cases", "outlined", "median time", "mean certainty", "blinded"), rows)
    figures = [(s["name"], s["label"], " – ".join(s["readers"]) or "all", *_score(s)) for s in document["scores"]]
    table(("measure", "of", "readers", "value", "95 % interval", "patients"), figures)


def make_consensus(document: Document) -> None:
    """Say what was settled, and how well each reader reads."""
    issues(document["issues"])
    table(
        ("question", "cases", "disputed"),
        [(one["label"], one["cases"], one["disputed"]) for one in document["questions"]],
    )
    rows = [
        (one["reader"], one["label"], _rate(one["sensitivity"]), _rate(one["specificity"]),
         f"{one['rests_on']:.0f} {one['of']}")
        for one in document["performance"]
    ]  # fmt: skip
    table(("reader", "of", "sensitivity", "specificity", "rests on"), rows)
    say(
        f"Settled by {document['by']}: outlines of {document['outlines']} cases, {len(document['questions'])} "
        f"questions. {_version(document)}"
    )


def adjudicate(document: Document) -> None:
    """Show the queue, or what was decided."""
    issues(document["issues"])
    if document["queue"] is not None:
        rows = [
            (one["case"], f"{one['share']:.2f}", "; ".join(one["about"]), ", ".join(one["readers"]))
            for one in document["queue"]
        ]
        table(("case", "dispute", "about", "readers"), rows)
        say(f"{len(document['queue'])} cases are disputed and not decided.")
    decided = [(one["case"], one["who"], one["at"], one["why"], _what(one)) for one in document["decisions"]]
    table(("decided", "by", "at", "why", "as"), decided)
    if document["queue"] is None:
        say(_version(document))


def _what(one: Document) -> str:
    return ", ".join(
        [*([one["take"]] if one["take"] else []), *(["a mask drawn anew"] if one["mask"] else []), *one["answers"]]
    )


def _score(score: Document) -> tuple[object, ...]:
    digits = 3 if score["unit"] == "1" else 2
    unit = "" if score["unit"] == "1" else f" {score['unit']}"
    value = "not measured" if score["value"] is None else f"{score['value']:.{digits}f}{unit}"
    has = score["low"] is not None and score["low"] != score["high"]
    return value, f"{score['low']:.{digits}f} to {score['high']:.{digits}f}" if has else "none", score["n"]


def _rate(rate: Document) -> str:
    if rate["value"] is None:
        return "–"
    interval = "" if rate["low"] is None else f" ({rate['low']:.3f} to {rate['high']:.3f})"
    return f"{rate['value']:.3f}{interval}"


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _version(document: Document) -> str:
    return f"Version {document['dataset'][:12]} of {document['name']}."
