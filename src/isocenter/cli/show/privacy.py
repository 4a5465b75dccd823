"""What a person reads of identity taken off, kept and asked for."""

from isocenter.cli.show.lines import Document, say, table


def deid(document: Document) -> None:
    """Say what leaves and what is kept back; of a dry run, what would be done with each element."""
    if document.get("dry_run"):
        for one in document["differences"]:
            became = "removed" if one["became"] is None else f"{one['action']} {one['became']}".rstrip()
            why = f" ({one['why']})" if one["why"] else ""
            say(f"{one['file']}  {one['element']}  {one['name']}: {became}{why}")
        say(f"{len(document['differences'])} elements would be changed. Nothing was written.")
        return
    files = document["files"]
    table(("files", "kept back because"), [(one["count"], one["reason"]) for one in document["reasons"]])
    say(
        f"{document['out']}: {files['released']} of {files['all']} files leave, of {document['patients']} patients; "
        f"{files['review']} are kept back, {files['left_out']} left out."
    )
    if document["review"]:
        say(f"What a person must look at lies in {document['review']}.")
    for bound in document["bounds"]:
        say(f"Second look: {bound['found']} of {bound['of']} {bound['what']}, at most {bound['most']:.2%} at 95 %.")
    proof = "evidence/report.en.html" if document["proved"] else "not proved: --prove looks again at what leaves"
    say(f"Evidence: {proof}")


def source(document: Document) -> None:
    """List the sources, or show one: what it grants, what was stated before, and where its cases went."""
    if document["deed"] == "listed":
        table(("source", "state", "ground", "uses", "until", "stated"), [_granted(s) for s in document["sources"]])
        say(f"{len(document['sources'])} sources.")
        return
    table(
        ("source", "state", "ground", "uses", "until", "stated"),
        [_granted(one) for one in (document["source"], *document["before"])],
    )
    for version in document["versions"]:
        say(f"  in data set {version['name']}, version {version['id'][:12]}")
    for model in document["models"]:
        say(f"  model {model[:12]} has learnt from that")


def _granted(grant: Document) -> tuple[object, ...]:
    ground = "; ".join(text for text in (grant["licence"], grant["basis"], grant["terms"]) if text)
    until = grant["withdrawn"] if grant["state"] == "withdrawn" else grant["expires"]
    return grant["id"], grant["state"], ground, ", ".join(grant["scope"]) or "all", until, grant["at"][:10]


def vault(document: Document) -> None:
    """Say what the vault said, or what was done with it."""
    if document["deed"] == "opened":
        table(("at", "who", "deed", "about", "purpose"), [list(line.values()) for line in document["log"]])
        for one in document["sources"]:
            say(f"{one['number']}  {one['source']}")
        say(f"{document['vault']}: {document['people']} persons, {document['cipher']}; its log holds.")
    elif document["deed"] == "found":
        for person in document["people"]:
            say(f"{person['pseudonym']} (project {person['project']})")
            table(("kind", "known as"), [(kind, ", ".join(all_)) for kind, all_ in person["known_as"].items()])
    elif document["deed"] == "erased":
        say(f"{document['pseudonym']} is forgotten; {len(document['versions'])} versions of data sets were replaced.")
        for model in document["models"]:
            say(f"  model {model[:12]} has learnt from them: decide whether it may go on being used.")
    else:
        say(f"{document['vault']} is locked with the key in {document['key']}. Destroy the old key.")
