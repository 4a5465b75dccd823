"""What was read in pixels and blanked: it names persons, so it is handed on to the vault while a run goes on."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from isocenter.intake.deid.treated import Treated

Keep = Callable[[str, bytes], None]
"""Takes a name, and content that names persons."""

_TOGETHER = 1000  # files


def with_texts_kept(files: Iterable[Treated], keep: Keep) -> Iterator[Treated]:
    """Yield files as they come; what was read in them is kept, of so many at a time, as texts-1.json and on.

    Args:
        files: Treated.
        keep: Takes JSON: a file's number to its lines, each with text, score and box.
    """
    held: dict[int, list[dict[str, Any]]] = {}
    written = 0
    for file in files:
        if file.seen:
            held[file.number] = _lines(file)
        yield file
        if len(held) == _TOGETHER:
            written += 1
            keep(f"texts-{written}.json", _packed(held))
            held = {}
    if held:
        keep(f"texts-{written + 1}.json", _packed(held))


def _lines(file: Treated) -> list[dict[str, Any]]:
    return [
        {"text": line.text, "score": round(line.score, 3), "box": [line.top, line.left, line.bottom, line.right]}
        for one in file.seen
        for line in one.blank
    ]


def _packed(held: dict[int, list[dict[str, Any]]]) -> bytes:
    return json.dumps(held, ensure_ascii=False).encode()
