"""What a person reads of versions of data sets: where everybody came to stand, what changed, what is pinned."""

from isocenter.cli.show.lines import Document, say, table

_SIDES = ("train", "validation", "test")


def split(document: Document) -> None:
    """Show how many patients of each kind stand on each side, with their cases, and how far shares are missed."""
    heads = ("", "", *(f"{side} {share:.0%}" for side, share in document["shares"].items()), "off by")
    rows = [
        (one["by"] or "all", one["kind"], *(_of(one, side) for side in _SIDES), f"{one['missed']:.1f} patients")
        for one in document["parts"]
    ]
    table(heads, rows)
    for group in document["together"]:
        say(f"{', '.join(group)} share an image and stand on one side, counted as one patient.")
    if document["frozen"]:
        say(f"{len(document['frozen'])} patients are frozen on the test side.")
    say(
        f"Data set {document['name']}, version {document['dataset'][:12]}, {document['folds']} folds. Version "
        f"{document['before'][:12]} stays as it was."
    )


def _of(part: Document, side: str) -> str:
    patients, cases = part["patients"][side], part["cases"][side]
    whole = sum(part["patients"].values())
    beside = f", {cases} cases" if cases != patients else ""
    return f"{patients} ({patients / whole:.1%}{beside})" if whole else "0"


def diff_versions(document: Document) -> None:
    """Say which two versions are compared, and what changed."""
    first, second = (f"{one['name']} {one['id'][:12]} of {one['at'][:10]}" for one in document["versions"])
    say(f"{first} → {second}")
    for sentence in document["told"]:
        say(f"  {sentence}")


def version(document: Document) -> None:
    """List versions, or say what was pinned or frozen."""
    {"listed": _listed, "pinned": _pinned, "frozen": _frozen}[document["deed"]](document)


def _listed(document: Document) -> None:
    rows = [
        (
            one["id"], one["at"], one["cases"], one["patients"],
            " / ".join(str(count) for count in one["sides"].values()), ", ".join(one["pins"]),
            _ice(one), f"{len(one['runs'])} / {len(one['models'])}",
        )
        for one in document["versions"]
    ]  # fmt: skip
    table(("version", "made", "cases", "patients", "train / val. / test", "pins", "frozen", "runs / models"), rows)
    for pin in document["pins_of_removed"]:
        say(f"{document['name']}@{pin['word']} means version {pin['version'][:12]}, which was removed.")


def _ice(one: Document) -> str:
    """Return how many of its patients are frozen where they belong, and whether it is refused to learners."""
    kept = f"{one['frozen']} tested" if one["frozen"] else ""
    return f"{one['frozen_learnt']} learnt from: refused" if one["frozen_learnt"] else kept


def _pinned(document: Document) -> None:
    say(f"{document['pin']} means version {document['dataset'][:12]} since {document['at'][:10]}, for good.")


def _frozen(document: Document) -> None:
    for one in document["versions"]:
        say(f"  {one['name']} {one['id'][:12]} would learn from {one['patients']} of them, and is refused from now on.")
    for one in document["models"]:
        say(f"  model {one['id'][:12]} has learnt from {one['patients']} of them before: decide what that means.")
    for id_ in document["unknown_models"]:
        say(f"  model {id_[:12]} may have: the version that it learnt from is gone.")
    was = "was frozen before" if document["again"] else "is frozen, for good"
    say(f"The test side of {document['name']} {document['dataset'][:12]} {was}: {document['patients']} patients.")
