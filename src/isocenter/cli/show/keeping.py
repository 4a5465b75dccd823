"""What a person reads of what a store keeps, and of this machine."""

from isocenter.cli.show.learning import scores
from isocenter.cli.show.lines import Document, say, table


def init(document: Document) -> None:
    """Say where the store is and whose key signs there."""
    say(f"Store at {document['store']}\nSigned by key {document['key']}: keep its folder safe, and back it up.")
    if document["requires_source"]:
        say("It takes nothing in without a source of the register.")


def verify(document: Document) -> None:
    """List each link that holds, the newest first."""
    table(("step", "what holds"), [(link["step"], link["says"]) for link in document["links"]])
    whose = "this store's own" if document["is_own"] else "not this store's; compare it with what its owner says"
    say(f"All {len(document['links'])} links hold, signed by key {document['key']} ({whose}).")


def kept(document: Document) -> None:
    """List what the store keeps of one kind, or show one thing."""
    rows = document.get("rows")
    if "removed" in document:
        say(f"Removed {document['removed'][:12]}; its receipts stay.")
        return
    if rows is None:
        thing = dict(document["thing"])
        found = thing.pop("scores", [])
        table(("", ""), list(thing.items()))
        if found:
            scores(found)
        return
    if not rows:
        say(f"No {document['kind']} yet.")
        return
    table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def info(document: Document) -> None:
    """Show what this isocenter can do."""
    say(f"isocenter {document['isocenter']}")
    for key in ("steps", "inputs", "layouts", "exports", "outputs", "tasks", "networks", "languages"):
        say(f"  {key}: {', '.join(document[key])}")
    extras = ", ".join(f"{name} ({'there' if there else 'missing'})" for name, there in document["extras"].items())
    say(f"  extras: {extras}")


def doctor(document: Document) -> None:
    """Show what was looked at and what is missing for what."""
    rows = [
        ("ok" if c["held"] else "missing", c["name"], c["figure"], "" if c["held"] else c["mend"])
        for c in document["checks"]
    ]
    table(("", "what", "found", "what mends it"), rows)
