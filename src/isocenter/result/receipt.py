"""What went in, what came out, what was checked: one statement a step, before it is signed."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_WORD = re.compile(r"[0-9a-z]{1,64}")  # a sha256, or the id of a run: nothing that leads out of a folder
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://isocenter.dev/receipt/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A thing by its content: what it is, its sha256, and the receipt that speaks of its making.

    Args:
        name: Kind and id, such as "dataset:hippocampus", "file:mask.nii.gz", "instance:1f3c…" (keyed UID).
        digest: sha256 in hex of its bytes.
        receipt: Digest of the receipt of the step that made it; empty for a source.
    """

    name: str
    digest: str
    receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at: its figure, its limit, and whether it held."""

    name: str
    held: bool
    figure: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One step's statement, in the form of an in-toto Statement v1.

    Args:
        step: The pipeline's step, such as "train".
        inputs, outputs: What it read and what it left.
        checks: What it looked at on the way.
        facts: Recipe id, seed, options: what else decides the outcome. JSON values only.
        version: Of isocenter.
        who: Account that asked, as the system knows it.
        at: UTC, ISO 8601.
    """

    step: str
    inputs: tuple[Item, ...]
    outputs: tuple[Item, ...]
    checks: tuple[Check, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    version: str
    who: str
    at: str

    def to_statement(self) -> bytes:
        """Return the statement as canonical JSON bytes: what is signed, and what its digest is of."""
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": item.name, "digest": {"sha256": item.digest}} for item in self.outputs],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "step": self.step,
                "inputs": [
                    {"name": item.name, "digest": {"sha256": item.digest}, "receipt": item.receipt}
                    for item in self.inputs
                ],
                "checks": [
                    {"name": check.name, "held": check.held, "figure": check.figure, "limit": check.limit}
                    for check in self.checks
                ],
                "facts": dict(self.facts),
                "version": self.version,
                "who": self.who,
                "at": self.at,
            },
        }
        return canonical(statement)

    @classmethod
    def from_statement(cls, statement: bytes) -> "Receipt":
        """Return the receipt that a statement holds.

        Raises:
            ValueError, KeyError, TypeError: Not such a statement; digests that are none, or names that are paths out.
        """
        document = json.loads(statement)
        predicate = document["predicate"]
        for item in (*document["subject"], *predicate["inputs"]):
            if not _is_safe(item):
                raise ValueError("a digest that is none, or a name that leads elsewhere")
        return cls(
            step=predicate["step"],
            inputs=tuple(
                Item(name=item["name"], digest=item["digest"]["sha256"], receipt=item["receipt"])
                for item in predicate["inputs"]
            ),
            outputs=tuple(Item(name=item["name"], digest=item["digest"]["sha256"]) for item in document["subject"]),
            checks=tuple(Check(**check) for check in predicate["checks"]),
            facts=predicate["facts"],
            version=predicate["version"],
            who=predicate["who"],
            at=predicate["at"],
        )

    @property
    def digest(self) -> str:
        """sha256 in hex of the statement: the receipt's name in the chain."""
        return hashlib.sha256(self.to_statement()).hexdigest()


def _is_safe(item: Mapping[str, Any]) -> bool:
    """Return whether a stranger's item names nothing outside: digests and names may be used to find files."""
    name = str(item["name"])
    digests = [item["digest"]["sha256"], *([item["receipt"]] if item.get("receipt") else [])]
    path = name.partition(":")[2]
    leads_out = path.startswith("/") or ".." in path.split("/") or "\\" in name
    return not leads_out and all(_WORD.fullmatch(str(one)) for one in digests)


def canonical(document: object) -> bytes:
    """Return a document as JSON bytes that depend on its content alone: sorted keys, no spaces, UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
