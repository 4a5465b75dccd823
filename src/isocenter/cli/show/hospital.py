"""What a person reads of commands that speak with other machines."""

from isocenter.cli.show.lines import Document, say, table


def fetch(document: Document) -> None:
    """Say what came and what did not, by numbers; of a dry run, what there is."""
    if not document["encrypted"]:
        say(f"What passes between us and {document['pacs']} is not encrypted.")
    if document["strangers"]:
        say(f"The PACS answered with {document['strangers']} studies that were not asked for; they were left alone.")
    _unanswered(document["unanswered"])
    if document["dry_run"]:
        modalities = ", ".join(f"{name} {count}" for name, count in document["modalities"].items())
        say(
            f"{document['studies']} studies, {document['series']} series ({modalities}), {document['instances']} "
            f"instances, by {document['way']}. Nothing was fetched."
        )
        return
    lacks = [(one["study"], one["series"], one["count"], one["why"]) for one in document["lacks"]]
    if lacks:
        table(("study", "series", "lack", "why"), lacks)
    for one in document["apart"]:
        say(f"  kept apart: {one['file']}, since {one['why']}")
    _changed(document["changed"])
    say(
        f"{document['images']}: {document['instances']} instances of {document['studies']} studies are here, "
        f"{document['new']} of them new ({document['bytes'] / 1e6:.1f} MB in {document['seconds']:.0f} s, by "
        f"{document['way']})."
    )
    lacking = sum(one["count"] for one in document["lacks"])
    if lacking:
        say(f"{lacking} instances lack. The same command fetches them, and nothing twice.")
    say(f"They name persons. Next: isocenter deid {document['images']} RELEASE --prove …")


def _unanswered(lines: list[int]) -> None:
    if 0 in lines:
        say("The PACS has nothing of what is asked for.")
    listed = [line for line in lines if line]
    if listed:
        told = ", ".join(map(str, listed[:20])) + (" …" if len(listed) > 20 else "")
        say(f"The PACS has nothing for {len(listed)} lines of the list: {told}.")


def _changed(changed: Document) -> None:
    if changed["came"] is None:
        say("The PACS could not be asked again whether anything has changed meanwhile.")
    elif changed["came"] or changed["gone"]:
        say(f"The archive changed while it was read: {changed['came']} instances came, {changed['gone']} left.")
