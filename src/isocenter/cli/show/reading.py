"""What a person reads of predictions, their reports and their speed."""

from isocenter.cli.show.lines import Document, interval, number, say, size, span_of, table

_BAR = 30  # characters of the longest bar
# characters of the longest bar
_UNDECIDED = {"classification": "the likeliest", "grading": "the middle grade", "multilabel": "yes from 0.5"}


def _answer(answer: Document) -> tuple[object, ...]:
    """Return what was asked and answered, how probable it is, and what decided."""
    shares = answer["probabilities"]
    if not shares:
        return answer["target"], number(answer["value"], answer["unit"]), span_of(answer), ""
    listed = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    point, second = answer["point"], list(shares)[-1]
    decided = _UNDECIDED.get(answer["kind"], "") if point is None else f"{second} from {point:.3f}"
    return answer["target"], answer["value"], listed, decided


def predict(document: Document) -> None:
    """Say what was found or answered, with intervals or probabilities, and whether it may leave."""
    rows = [(v["label"], number(v["value"], v["unit"]), interval(v), v["n"]) for v in document["volumes"]]
    if rows:
        table(("found", "size", "95 % interval", "from patients"), rows)
    if document["answers"]:
        table(
            ("asked", "answer", "probabilities or 95 % interval", "decided"),
            [_answer(one) for one in document["answers"]],
        )
    verdict = document["verdict"]
    say(f"May it leave? {verdict['decision']}: {' '.join(verdict['reasons'])}")
    say(f"Written to {document['out']} in {document['seconds']:.1f} s.")


def bench(document: Document) -> None:
    """Show each way of reading with its time, and where the time goes."""
    for way in document["runtimes"]:
        if way["note"]:
            say(f"{way['name']}: not measured. {way['note']}")
            continue
        chosen = f" (takes {way['runtime']})" if way.get("runtime", way["name"]) != way["name"] else ""
        say(f"{way['name']}{chosen}: {_time(way['p50_ms'])}, 95 of 100 within {_time(way['p95_ms'])}, "
             f"cold {_time(way['cold_ms'])}{_agreeing(way)}")  # fmt: skip
        most = max((stage["p50_ms"] or 0.0 for stage in way["stages"]), default=0.0) or 1.0
        rows = [
            (s["stage"], _time(s["cold_ms"]), _time(s["p50_ms"]), _time(s["p95_ms"]),
             "█" * round(_BAR * (s["p50_ms"] or 0.0) / most))
            for s in way["stages"]
        ]  # fmt: skip
        table(("stage", "cold", "median", "95 %", ""), rows)
    image = document["image"]
    seen = size(image["shape"], image["spacing_mm"]) if image else "nothing"
    say(f"Read: {seen}, {document['rounds']} times after a first one, with model {document['model'][:12]}.")


def _time(ms: float | None) -> str:
    if ms is None:
        return "–"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.2f} s"


def _agreeing(way: Document) -> str:
    figure = way.get("agreement")
    return "" if figure is None else f", Dice with torch in float32 {figure:.4f}, least {way['least']:.4f}"


def report(document: Document) -> None:
    """Say where the reports lie."""
    for path in document["files"]:
        say(path)
