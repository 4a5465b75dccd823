"""What a person reads: tables and sentences made from a step's public document."""

import re
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Document = dict[str, Any]
_BAR = 30  # characters of the longest bar
_MANY = 40  # rows shown before the rest is counted
_UNDECIDED = {"classification": "the likeliest", "grading": "the middle grade", "multilabel": "yes from 0.5"}
_HASH = re.compile(r"[0-9a-f]{64}")


def init(document: Document) -> None:
    """Say where the store is and whose key signs there."""
    _say(f"Store at {document['store']}\nSigned by key {document['key']}: keep its folder safe, and back it up.")
    if document["requires_source"]:
        _say("It takes nothing in without a source of the register.")


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
    is_said = any(document["spacing_mm"])
    more = "" if is_said else " The file says 1 mm, as it must say something."
    _say(f"{document['out']}: {_size(document['shape'], document['spacing_mm'])}.{more}")


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


def deid(document: Document) -> None:
    """Say what leaves and what is kept back; of a dry run, what would be done with each element."""
    if document.get("dry_run"):
        for one in document["differences"]:
            became = "removed" if one["became"] is None else f"{one['action']} {one['became']}".rstrip()
            why = f" ({one['why']})" if one["why"] else ""
            _say(f"{one['file']}  {one['element']}  {one['name']}: {became}{why}")
        _say(f"{len(document['differences'])} elements would be changed. Nothing was written.")
        return
    files = document["files"]
    _table(("files", "kept back because"), [(one["count"], one["reason"]) for one in document["reasons"]])
    _say(
        f"{document['out']}: {files['released']} of {files['all']} files leave, of {document['patients']} patients; "
        f"{files['review']} are kept back, {files['left_out']} left out."
    )
    if document["review"]:
        _say(f"What a person must look at lies in {document['review']}.")
    for bound in document["bounds"]:
        _say(f"Second look: {bound['found']} of {bound['of']} {bound['what']}, at most {bound['most']:.2%} at 95 %.")
    proof = "evidence/report.en.html" if document["proved"] else "not proved: --prove looks again at what leaves"
    _say(f"Evidence: {proof}")


def source(document: Document) -> None:
    """List the sources, or show one: what it grants, what was stated before, and where its cases went."""
    if document["deed"] == "listed":
        _table(("source", "state", "ground", "uses", "until", "stated"), [_granted(s) for s in document["sources"]])
        _say(f"{len(document['sources'])} sources.")
        return
    _table(
        ("source", "state", "ground", "uses", "until", "stated"),
        [_granted(one) for one in (document["source"], *document["before"])],
    )
    for version in document["versions"]:
        _say(f"  in data set {version['name']}, version {version['id'][:12]}")
    for model in document["models"]:
        _say(f"  model {model[:12]} has learnt from that")


def _granted(grant: Document) -> tuple[object, ...]:
    ground = "; ".join(text for text in (grant["licence"], grant["basis"], grant["terms"]) if text)
    until = grant["withdrawn"] if grant["state"] == "withdrawn" else grant["expires"]
    return grant["id"], grant["state"], ground, ", ".join(grant["scope"]) or "all", until, grant["at"][:10]


def vault(document: Document) -> None:
    """Say what the vault said, or what was done with it."""
    if document["deed"] == "opened":
        _table(("at", "who", "deed", "about", "purpose"), [list(line.values()) for line in document["log"]])
        for one in document["sources"]:
            _say(f"{one['number']}  {one['source']}")
        _say(f"{document['vault']}: {document['people']} persons, {document['cipher']}; its log holds.")
    elif document["deed"] == "found":
        for person in document["people"]:
            _say(f"{person['pseudonym']} (project {person['project']})")
            _table(("kind", "known as"), [(kind, ", ".join(all_)) for kind, all_ in person["known_as"].items()])
    elif document["deed"] == "erased":
        _say(f"{document['pseudonym']} is forgotten; {len(document['versions'])} versions of data sets were replaced.")
        for model in document["models"]:
            _say(f"  model {model[:12]} has learnt from them: decide whether it may go on being used.")
    else:
        _say(f"{document['vault']} is locked with the key in {document['key']}. Destroy the old key.")


def export_dataset(document: Document) -> None:
    """Say what was written where, on what terms, and what the form does not hold."""
    for note in document["notes"]:
        _say(f"  {note}")
    if document["terms"] == "not stated":
        _say("THE TERMS OF USE ARE NOT STATED: ask whoever made these data before you use or pass them on.")
    else:
        _say(f"Terms of use: {document['terms']} (TERMS.md in the folder).")
    _say(
        f"{document['out']}: {document['cases']} cases of {document['name']} in {document['files']} files as "
        f"{document['form']}, in {document['seconds']:.1f} s. Each file stands with its sha256 in manifest.json."
    )


def publish(document: Document) -> None:
    """Say what was written for whom, and how a stranger checks it."""
    export_dataset(document)
    _say(f"Whoever gets it checks it with `isocenter verify {document['out']}`.")


def plan(document: Document) -> None:
    """Show each decision with its reason."""
    rows = [(d["key"], d["value"], d["reason"]) for d in document["decisions"]]
    _table(("decided", "value", "because"), rows)
    expected = document["plan"]["estimate"]
    if expected:
        _say(
            f"On this machine it will take about {_span(expected['seconds'])} and "
            f"{expected['memory_bytes'] / 1e9:.1f} GB of memory."
        )


def train(document: Document) -> None:
    """Say what was learnt, how well it does on validation cases, and where it lies."""
    if document["reused"]:
        _say("This recipe was already run on this version; here is what it left.")
    scores(document["scores"])
    _say(f"Model {document['model'][:12]} after {document['seconds']:.0f} s. Curves: {document['page'] or 'removed'}")
    expected = document["estimate"]
    if expected and not document["reused"]:
        _say(
            f"It took {_span(document['seconds'])} and {document['memory_bytes'] / 1e9:.1f} GB; the plan expected "
            f"{_span(expected['seconds'])} and {expected['memory_bytes'] / 1e9:.1f} GB."
        )


def evaluate(document: Document) -> None:
    """Show the scores with their intervals, of all and of each subgroup, and what must be known of them."""
    scores(document["scores"])
    if document["subgroups"]:
        _subgroups(document["subgroups"])
    for note in document["notes"]:
        _say(note)
    side, seconds = document["side"], document["seconds"]
    _say(f"{document['cases']} cases ({side}) in {seconds:.0f} s, model {document['model'][:12]}.")
    if document["learnt_from"] is None:
        _say("Whether the model learnt from these very cases is not known: its data set is gone from the store.")
    elif document["learnt_from"]:
        _say(f"{document['learnt_from']} cases are of patients that the model learnt from: the scores flatter it.")


def scores(found: Sequence[Document]) -> None:
    """Show scores as a table: measure, structure or class, value, 95 % interval, patients."""
    _table(("measure", "of", "value", "95 % interval", "patients"), [_score(one) for one in found])


def _score(score: Document) -> tuple[object, ...]:
    return score["name"], score["label"], _number(score["value"], score["unit"]), _interval(score), score["n"]


def _subgroups(found: dict[str, Sequence[Document]]) -> None:
    """Show a line for each subgroup: its patients, and what was measured over everything in it."""
    chosen = {group: _overall(scores) for group, scores in found.items()}
    names = list(dict.fromkeys(name for scores in chosen.values() for name in scores))
    rows = [
        (group, max(one["n"] for one in scores.values()), *(_brief(scores.get(name)) for name in names))
        for group, scores in chosen.items()
        if scores
    ]
    _table(("subgroup", "patients", *names), rows)


def _overall(scores: Sequence[Document]) -> dict[str, Document]:
    """Return measure to its score over all classes; of the one class that there is, where there is no such mean."""
    means = [one for one in scores if one["label"] == "mean"]
    return {one["name"]: one for one in means or scores}


def _brief(score: Document | None) -> str:
    if score is None or score["value"] is None:
        return "–"
    value = _number(score["value"], score["unit"])
    return value if score["low"] is None else f"{value} ({_range(score)})"


def predict(document: Document) -> None:
    """Say what was found or answered, with intervals or probabilities, and whether it may leave."""
    rows = [(v["label"], _number(v["value"], v["unit"]), _interval(v), v["n"]) for v in document["volumes"]]
    if rows:
        _table(("found", "size", "95 % interval", "from patients"), rows)
    if document["answers"]:
        _table(
            ("asked", "answer", "probabilities or 95 % interval", "decided"),
            [_answer(one) for one in document["answers"]],
        )
    verdict = document["verdict"]
    _say(f"May it leave? {verdict['decision']}: {' '.join(verdict['reasons'])}")
    _say(f"Written to {document['out']} in {document['seconds']:.1f} s.")


def _answer(answer: Document) -> tuple[object, ...]:
    """Return what was asked and answered, how probable it is, and what decided."""
    shares = answer["probabilities"]
    if not shares:
        return answer["target"], _number(answer["value"], answer["unit"]), _range(answer), ""
    listed = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    point, second = answer["point"], list(shares)[-1]
    decided = _UNDECIDED.get(answer["kind"], "") if point is None else f"{second} from {point:.3f}"
    return answer["target"], answer["value"], listed, decided


def bench(document: Document) -> None:
    """Show each way of reading with its time, and where the time goes."""
    for way in document["runtimes"]:
        if way["note"]:
            _say(f"{way['name']}: not measured. {way['note']}")
            continue
        chosen = f" (takes {way['runtime']})" if way.get("runtime", way["name"]) != way["name"] else ""
        _say(f"{way['name']}{chosen}: {_time(way['p50_ms'])}, 95 of 100 within {_time(way['p95_ms'])}, "
             f"cold {_time(way['cold_ms'])}{_agreeing(way)}")  # fmt: skip
        most = max((stage["p50_ms"] or 0.0 for stage in way["stages"]), default=0.0) or 1.0
        rows = [
            (s["stage"], _time(s["cold_ms"]), _time(s["p50_ms"]), _time(s["p95_ms"]),
             "█" * round(_BAR * (s["p50_ms"] or 0.0) / most))
            for s in way["stages"]
        ]  # fmt: skip
        _table(("stage", "cold", "median", "95 %", ""), rows)
    image = document["image"]
    size = _size(image["shape"], image["spacing_mm"]) if image else "nothing"
    _say(f"Read: {size}, {document['rounds']} times after a first one, with model {document['model'][:12]}.")


def report(document: Document) -> None:
    """Say where the reports lie."""
    for path in document["files"]:
        _say(path)


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
        _table(("measure", "of", *heads), rows)
    if not document["one_version"]:
        _say("They learnt from different versions of the data: their scores are of different patients.")
    if document["page"]:
        _say(f"Page: {document['page']}")


def _otherwise(word: str, rows: Sequence[Document], heads: Sequence[str]) -> None:
    if rows:
        _table((f"{word} otherwise", *heads), [(row["key"], row["first"], row["second"]) for row in rows])
    else:
        _say(f"Nothing was {word} otherwise.")


def _beside(score: Document | None) -> str:
    if score is None:
        return "none"
    return f"{_number(score['value'], score['unit'])} ({_interval(score)})"


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
    for key in ("steps", "inputs", "layouts", "exports", "outputs", "tasks", "networks", "languages"):
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


def _time(ms: float | None) -> str:
    if ms is None:
        return "–"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.2f} s"


def _agreeing(way: Document) -> str:
    figure = way.get("agreement")
    return "" if figure is None else f", Dice with torch in float32 {figure:.4f}, least {way['least']:.4f}"


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
    if isinstance(value, dict) and set(value) == {"memory_bytes", "seconds"}:
        return f"{value['memory_bytes'] / 1e9:.1f} GB, {value['seconds']:.0f} s"
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
    return f"none (n = {score['n']})" if score["low"] is None else _range(score)


def _range(figure: Document) -> str:
    if figure["low"] is None:
        return "none: too few validation patients"
    digits = 3 if figure["unit"] == "1" else 2
    return f"{figure['low']:.{digits}f} to {figure['high']:.{digits}f}"


def _grid(shape: Sequence[int]) -> str:
    return "×".join(str(n) for n in shape) if any(shape) else ""


def _size(shape: Sequence[int], spacing: Sequence[float | None]) -> str:
    """Return how many voxels there are, and how large one is."""
    if not any(spacing):
        return f"{_grid(shape)} pixels, whose size nobody has stated"
    return f"{_grid(shape)} voxels of {_mm(spacing)} mm"


def _mm(spacing: Sequence[float | None]) -> str:
    return "×".join("–" if one is None else f"{one:.3g}" for one in spacing) if any(spacing) else ""


def _span(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


# for what the other files of this room show
table, say = _table, _say
