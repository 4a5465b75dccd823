"""JSON documents that lie in a data set's folder."""

import json
from pathlib import Path
from typing import Any

from isocenter.errors import LayoutError


def load_document(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, None where there is no such file.

    Raises:
        LayoutError: It cannot be read, or is no JSON object.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LayoutError(
            f"{path.name} cannot be read ({error.strerror}). Give yourself read permission on it."
        ) from error
    except ValueError as error:
        raise LayoutError(f"{path.name} is no JSON ({error}). Mend it at that place.") from error
    if not isinstance(document, dict):
        raise LayoutError(f"{path.name} holds a {type(document).__name__}, not an object with keys.")
    return document
