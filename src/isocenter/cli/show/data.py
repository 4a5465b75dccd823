"""What a person reads of images and data sets on their way in."""

from collections.abc import Sequence

from isocenter.cli.show.lines import Document, grid, say, share, sides, size, steps_mm, table

_MEANS = {
    "overlap": "share of the fixed body that the moving volume covers",
    "likeness": "what the volumes tell of each other, 0 to 1",
    "rival": "likeness at the best other place, by that here",
    "backward_mm": "the way back, found by itself, ends so far beside",
    "halves_mm": "two halves of the places lead so far apart",
    "parts_mm": "an eighth of the body alone would shift so far",
    "mirror": "likeness of the best mirror image, by that here",
    "stretch": "the largest change of a length, as a factor",
    "jacobian": "the smallest change of volume by the bend",
    "inverse_mm": "the inverse of the bend misses by at most",
}
_NAMED = 12  # cases named; more are counted


def scan(document: Document) -> None:
    """List each series with its verdict, and files that are none."""
    rows = [
        (
            s["index"],
            s["modality"],
            f"{s['sequence']} {s['part']}".strip(),
            grid(s["shape"]),
            steps_mm(s["spacing_mm"]),
            s["verdict"],
            s["reason"],
        )
        for s in document["series"]
    ]
    table(("#", "modality", "sequence", "slices×rows×columns", "mm", "verdict", "why"), rows)
    say(f"{document['files']} files in {document['seconds']:.1f} s, {len(document['series'])} series.")
    for other in document["others"]:
        say(f"  {other['count']} other: {other['reason']}")


def convert(document: Document) -> None:
    """Say what was written where."""
    is_said = any(document["spacing_mm"])
    more = "" if is_said else " The file says 1 mm, as it must say something."
    say(f"{document['out']}: {size(document['shape'], document['spacing_mm'])}.{more}")


def ingest(document: Document) -> None:
    """Say what the folder was taken for, what came in and what did not."""
    say(f"Taken for the layout {document['layout']}: {document['why']}")
    issues(document["issues"])
    counts = sides(document["sides"])
    say(
        f"Data set {document['name']}: {document['cases']} cases of {document['patients']} patients"
        f"{f' ({counts})' if counts else ''}, {document['labelled']} labelled. Version {document['dataset'][:12]}."
    )
    for left in document["left_out"]:
        say(f"  left out: {left}")


def check(document: Document) -> None:
    """List what was found, and say whether anything stops."""
    issues(document["issues"])
    stops = sum(issue["severity"] == "stop" for issue in document["issues"])
    warns = len(document["issues"]) - stops
    verdict = "Nothing stops." if document["held"] else "Mend what stops before you train."
    say(f"{document['cases']} cases checked: {stops} stop, {warns} warn. {verdict}")


def issues(found: Sequence[Document]) -> None:
    """Show issues as a table: what, where, how much, and what mends it."""
    rows = [(i["severity"], i["check"], i["where"], i["figure"], i["limit"], i["mend"]) for i in found]
    if rows:
        table(("", "check", "where", "found", "limit", "what mends it"), rows)


def cohort(document: Document) -> None:
    """Say who is in a cohort, beside whom it stands for, and what is wrong with it."""
    for fact in document["facts"]:
        rows = [(kind["name"], kind["patients"], share(kind["share"]), sides(kind["sides"])) for kind in fact["kinds"]]
        if rows:
            table((fact["name"], "patients", "share [95 %]", "sides"), rows)
        elif fact["quantiles"]:
            least, _, low, median, high, _, most = (f"{value:.4g}" for value in fact["quantiles"])
            say(f"{fact['name']}: median {median}, middle half {low} to {high}, all {least} to {most}.")
    verdicts = {"less": "fewer than there", "more": "more than there", "alike": ""}
    gaps = [
        (gap["fact"], gap["kind"], share(gap["share"]), f"{gap['stated']:.3f}", verdicts[gap["verdict"]])
        for gap in document["gaps"]
    ]
    if gaps:
        table(("beside the population", "", "share [95 %]", "stated", ""), gaps)
    issues(document["issues"])
    by_side = sides(document["sides"])
    say(
        f"{document['name']}: {document['cases']} cases of {document['patients']} patients"
        f"{f' ({by_side})' if by_side else ''}. {len(document['issues'])} issues."
    )
    if document["page"]:
        say(f"Page: {document['page']}")


def export_dataset(document: Document) -> None:
    """Say what was written where, on what terms, and what the form does not hold."""
    for note in document["notes"]:
        say(f"  {note}")
    if document["terms"] == "not stated":
        say("THE TERMS OF USE ARE NOT STATED: ask whoever made these data before you use or pass them on.")
    else:
        say(f"Terms of use: {document['terms']} (TERMS.md in the folder).")
    say(
        f"{document['out']}: {document['cases']} cases of {document['name']} in {document['files']} files as "
        f"{document['form']}, in {document['seconds']:.1f} s. Each file stands with its sha256 in manifest.json."
    )


def publish(document: Document) -> None:
    """Say what was written for whom, and how a stranger checks it."""
    export_dataset(document)
    say(f"Whoever gets it checks it with `isocenter verify {document['out']}`.")


def prepare(document: Document) -> None:
    """Show what each step changed (the middle case, and between which it lies), and where the restored images are."""
    for one in document["changed"]:
        figures = "; ".join(f"{name} {_spread(*span)}" for name, span in one["figures"].items())
        say(f"{one['role']}: {one['step']}  {figures}")
    for case in document["lost"][:_NAMED]:
        say(f"{case}: a structure lies outside of what a step has kept, and is gone from its outline.")
    if len(document["lost"]) > _NAMED:
        say(f"and {len(document['lost']) - _NAMED} more; --json lists all.")
    say(
        f"Data set {document['name']}: {document['cases']} cases, restored in {document['seconds']:.0f} s. "
        f"Version {document['dataset'][:12]}, made from {document['origin'][:12]}, which stays as it was."
    )
    if document["page"]:
        say(f"Pictures before and after: {document['page']}")


def _spread(low: float, middle: float, high: float) -> str:
    return f"{middle:.4g}" if low == high else f"{middle:.4g} [{low:.4g}, {high:.4g}]"


def register(document: Document) -> None:
    """List what the gate measured, and say whether the registration may be used."""
    rows = [
        ("" if one["held"] else "failed", one["name"], f"{one['value']:.4g}", f"at {one['side']} {one['limit']:g}",
         _MEANS[one["name"]])
        for one in document["figures"]
    ]  # fmt: skip
    table(("", "figure", "found", "limit", "means"), rows)
    if document["held"]:
        say(f"{document['out']}: {', '.join(document['files'])}, in {document['seconds']:.0f} s.")
    else:
        say(f"Refused by {', '.join(document['failed'])}; {document['out']} holds the report alone.")
