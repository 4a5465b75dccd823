"""What a person reads: tables and sentences made from a step's public document."""

import re
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Document = dict[str, Any]
_MANY = 40  # rows shown before the rest is counted
_HASH = re.compile(r"[0-9a-f]{64}")


def init(document: Document) -> None:
    """Say where the store is and whose key signs there."""
    _say(f"Store at {document['store']}\nSigned by key {document['key']}: keep its folder safe, and back it up.")


def scan(document: Document) -> None:
    """List each series with its verdict, and files that are none."""
    rows = [
        (
            s["index"],
            s["modality"],
            f"{s['sequence']} {s['part']}".strip(),
            _grid(s["shape"]),
            _mm(s["spacing_mm"]),
            s["verdict"],
            s["reason"],
        )
        for s in document["series"]
    ]
    _table(("#", "modality", "sequence", "slices×rows×columns", "mm", "verdict", "why"), rows)
    _say(f"{document['files']} files in {document['seconds']:.1f} s, {len(document['series'])} series.")
    for other in document["others"]:
        _say(f"  {other['count']} other: {other['reason']}")


def convert(document: Document) -> None:
    """Say what was written where."""
    _say(f"{document['out']}: {_grid(document['shape'])} voxels of {_mm(document['spacing_mm'])} mm.")


def ingest(document: Document) -> None:
    """Say what the folder was taken for, what came in and what did not."""
    _say(f"Taken for the layout {document['layout']}: {document['why']}")
    issues(document["issues"])
    counts = ", ".join(f"{side} {count}" for side, count in document["sides"].items())
    _say(
        f"Data set {document['name']}: {document['cases']} cases of {document['patients']} patients"
        f"{f' ({counts})' if counts else ''}, {document['labelled']} labelled. Version {document['dataset'][:12]}."
    )
    for left in document["left_out"]:
        _say(f"  left out: {left}")


def check(document: Document) -> None:
    """List what was found, and say whether anything stops."""
    issues(document["issues"])
    stops = sum(issue["severity"] == "stop" for issue in document["issues"])
    warns = len(document["issues"]) - stops
    verdict = "Nothing stops." if document["held"] else "Mend what stops before you train."
    _say(f"{document['cases']} cases checked: {stops} stop, {warns} warn. {verdict}")


def issues(found: Sequence[Document]) -> None:
    """Show issues as a table: what, where, how much, and what mends it."""
    rows = [(i["severity"], i["check"], i["where"], i["figure"], i["limit"], i["mend"]) for i in found]
    if rows:
        _table(("", "check", "where", "found", "limit", "what mends it"), rows)


def plan(document: Document) -> None:
    """Show each decision with its reason."""
    rows = [(d["key"], d["value"], d["reason"]) for d in document["decisions"]]
    _table(("decided", "value", "because"), rows)


def train(document: Document) -> None:
    """Say what was learnt, how well it does on validation cases, and where it lies."""
    if document["reused"]:
        _say("This recipe was already run on this version; here is what it left.")
    scores(document["scores"])
    _say(f"Model {document['model'][:12]} after {document['seconds']:.0f} s. Curves: {document['page'] or 'removed'}")


def evaluate(document: Document) -> None:
    """Show the scores with their intervals."""
    scores(document["scores"])
    side, seconds = document["side"], document["seconds"]
    _say(f"{document['cases']} cases ({side}) in {seconds:.0f} s, model {document['model'][:12]}.")
    if document["learnt_from"] is None:
        _say("Whether the model learnt from these very cases is not known: its data set is gone from the store.")
    elif document["learnt_from"]:
        _say(f"{document['learnt_from']} cases are of patients that the model learnt from: the scores flatter it.")


def scores(found: Sequence[Document]) -> None:
    """Show scores as a table: measure, structure, value, 95 % interval, patients."""
    rows = [
        (s["name"], s["label"], _number(s["value"], s["unit"]), _interval(s), s["n"])
        for s in found
    ]  # fmt: skip
    _table(("measure", "of", "value", "95 % interval", "patients"), rows)


def predict(document: Document) -> None:
    """Say what was found, with intervals, and whether it may leave."""
    rows = [(v["label"], _number(v["value"], v["unit"]), _interval(v), v["n"]) for v in document["volumes"]]
    _table(("found", "ml", "95 % interval", "from patients"), rows)
    verdict = document["verdict"]
    _say(f"May it leave? {verdict['decision']}: {' '.join(verdict['reasons'])}")
    _say(f"Written to {document['out']} in {document['seconds']:.1f} s.")


def report(document: Document) -> None:
    """Say where the reports lie."""
    for path in document["files"]:
        _say(path)


def verify(document: Document) -> None:
    """List each link that holds, the newest first."""
    _table(("step", "what holds"), [(link["step"], link["says"]) for link in document["links"]])
    whose = "this store's own" if document["is_own"] else "not this store's; compare it with what its owner says"
    _say(f"All {len(document['links'])} links hold, signed by key {document['key']} ({whose}).")


def kept(document: Document) -> None:
    """List what the store keeps of one kind, or show one thing."""
    rows = document.get("rows")
    if "removed" in document:
        _say(f"Removed {document['removed'][:12]}; its receipts stay.")
        return
    if rows is None:
        thing = dict(document["thing"])
        found = thing.pop("scores", [])
        _table(("", ""), list(thing.items()))
        if found:
            scores(found)
        return
    if not rows:
        _say(f"No {document['kind']} yet.")
        return
    _table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def info(document: Document) -> None:
    """Show what this isocenter can do."""
    _say(f"isocenter {document['isocenter']}")
    for key in ("steps", "inputs", "layouts", "outputs", "tasks", "networks", "languages"):
        _say(f"  {key}: {', '.join(document[key])}")
    extras = ", ".join(f"{name} ({'there' if there else 'missing'})" for name, there in document["extras"].items())
    _say(f"  extras: {extras}")


def doctor(document: Document) -> None:
    """Show what was looked at and what is missing for what."""
    rows = [
        ("ok" if c["held"] else "missing", c["name"], c["figure"], "" if c["held"] else c["mend"])
        for c in document["checks"]
    ]
    _table(("", "what", "found", "what mends it"), rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(*heads, box=None, pad_edge=False, header_style="dim")
    for row in rows[:_MANY]:
        table.add_row(*(_cell(cell) for cell in row))
    _console().print(table)
    if len(rows) > _MANY:
        _say(f"… and {len(rows) - _MANY} more; --json lists all.")


def _cell(value: object) -> str:
    return escape(_plain(value))


def _plain(value: object) -> str:
    """Return a value as people read it: hashes by their first digits, lists and tables in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        apart = "; " if any(isinstance(one, dict) for one in value) else " × "
        return apart.join(_plain(one) for one in value)
    if isinstance(value, float):
        return f"{value:.4g}"
    text = "" if value is None else str(value)
    return text[:12] if _HASH.fullmatch(text) else text


def _console() -> Console:
    """Return a console on today's stdout; wide where nobody watches, so that log files are not wrapped."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    return f"{value:.3f}" if unit == "1" else f"{value:.2f} {unit}"


def _interval(score: Document) -> str:
    if score["low"] is None:
        return f"none (n = {score['n']})"
    digits = 3 if score["unit"] == "1" else 2
    return f"{score['low']:.{digits}f} to {score['high']:.{digits}f}"


def _grid(shape: Sequence[int]) -> str:
    return "×".join(str(n) for n in shape) if any(shape) else ""


def _mm(spacing: Sequence[float | None]) -> str:
    return "×".join("–" if one is None else f"{one:.3g}" for one in spacing) if any(spacing) else ""
