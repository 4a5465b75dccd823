"""What a person reads of plans, runs and scores."""

from collections.abc import Sequence

from isocenter.cli.show.lines import Document, interval, lasting, number, say, span_of, table


def plan(document: Document) -> None:
    """Show each decision with its reason."""
    rows = [(d["key"], d["value"], d["reason"]) for d in document["decisions"]]
    table(("decided", "value", "because"), rows)
    expected = document["plan"]["estimate"]
    if expected:
        say(
            f"On this machine it will take about {lasting(expected['seconds'])} and "
            f"{expected['memory_bytes'] / 1e9:.1f} GB of memory."
        )


def train(document: Document) -> None:
    """Say what was learnt, how well it does on validation cases, and where it lies."""
    if document["reused"]:
        say("This recipe was already run on this version; here is what it left.")
    scores(document["scores"])
    say(f"Model {document['model'][:12]} after {document['seconds']:.0f} s. Curves: {document['page'] or 'removed'}")
    expected = document["estimate"]
    if expected and not document["reused"]:
        say(
            f"It took {lasting(document['seconds'])} and {document['memory_bytes'] / 1e9:.1f} GB; the plan expected "
            f"{lasting(expected['seconds'])} and {expected['memory_bytes'] / 1e9:.1f} GB."
        )


def evaluate(document: Document) -> None:
    """Show the scores with their intervals, of all and of each subgroup, and what must be known of them."""
    scores(document["scores"])
    if document["subgroups"]:
        _subgroups(document["subgroups"])
    for note in document["notes"]:
        say(note)
    side, seconds = document["side"], document["seconds"]
    say(f"{document['cases']} cases ({side}) in {seconds:.0f} s, model {document['model'][:12]}.")
    if document["learnt_from"] is None:
        say("Whether the model learnt from these very cases is not known: its data set is gone from the store.")
    elif document["learnt_from"]:
        say(f"{document['learnt_from']} cases are of patients that the model learnt from: the scores flatter it.")


def scores(found: Sequence[Document]) -> None:
    """Show scores as a table: measure, structure or class, value, 95 % interval, patients."""
    table(("measure", "of", "value", "95 % interval", "patients"), [_score(one) for one in found])


def _score(score: Document) -> tuple[object, ...]:
    return score["name"], score["label"], number(score["value"], score["unit"]), interval(score), score["n"]


def _subgroups(found: dict[str, Sequence[Document]]) -> None:
    """Show a line for each subgroup: its patients, and what was measured over everything in it."""
    chosen = {group: _overall(scores) for group, scores in found.items()}
    names = list(dict.fromkeys(name for scores in chosen.values() for name in scores))
    rows = [
        (group, max(one["n"] for one in scores.values()), *(_brief(scores.get(name)) for name in names))
        for group, scores in chosen.items()
        if scores
    ]
    table(("subgroup", "patients", *names), rows)


def _overall(scores: Sequence[Document]) -> dict[str, Document]:
    """Return measure to its score over all classes; of the one class that there is, where there is no such mean."""
    means = [one for one in scores if one["label"] == "mean"]
    return {one["name"]: one for one in means or scores}


def _brief(score: Document | None) -> str:
    if score is None or score["value"] is None:
        return "–"
    value = number(score["value"], score["unit"])
    return value if score["low"] is None else f"{value} ({span_of(score)})"


def amount(document: Document) -> None:
    """Show what was reached with how many patients, and what more would be worth."""
    figures = [(one["patients"], one["score"]) for one in document["points"]]
    table(
        ("patients learnt from", document["measure"], "95 % interval", "patients scored"),
        [(count, number(one["value"], one["unit"]), interval(one), one["n"]) for count, one in figures],
    )
    for gain in document["gains"]:
        change = gain["change"]
        say(f"{gain['more']} more patients: {change['value']:+.3f} [{change['low']:+.3f}, {change['high']:+.3f}]")
    say(
        f"{document['measure']}: {document['better']} is better. If the curve goes on as it began, it ends at "
        f"{document['end']:.3f}."
    )


def diff_runs(document: Document) -> None:
    """Show what differs between two runs, and their scores side by side."""
    heads = [run["id"][:12] for run in document["runs"]]
    if document["recipe"] is not None:
        _otherwise("asked", document["recipe"], heads)
    _otherwise("decided", document["plan"], heads)
    rows = [
        (s["name"], s["label"], *(_beside(s[side]) for side in ("first", "second")))
        for s in document["scores"]
    ]  # fmt: skip
    if rows:
        table(("measure", "of", *heads), rows)
    if not document["one_version"]:
        say("They learnt from different versions of the data: their scores are of different patients.")
    if document["page"]:
        say(f"Page: {document['page']}")


def _otherwise(word: str, rows: Sequence[Document], heads: Sequence[str]) -> None:
    if rows:
        table((f"{word} otherwise", *heads), [(row["key"], row["first"], row["second"]) for row in rows])
    else:
        say(f"Nothing was {word} otherwise.")


def _beside(score: Document | None) -> str:
    if score is None:
        return "none"
    return f"{number(score['value'], score['unit'])} ({interval(score)})"
