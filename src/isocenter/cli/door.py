"""The one door of every command: run the step, show its outcome, turn a refusal into an exit code."""

import functools
import json as json_format
import sys
from collections.abc import Callable
from typing import Any, Protocol

import typer

from isocenter.errors import InputError, IsocenterError, ProofError

INTERRUPTED = 130  # what a shell gives for a process ended by Ctrl-C


class Outcome(Protocol):
    """What a step hands back: a noun that can be written as public JSON, and says whether all checks held."""

    def to_json(self) -> dict[str, Any]:
        """Return the public, versioned document (docs/reference/json.md)."""
        ...


def door(command: Callable[..., Outcome], show: Callable[[dict[str, Any]], None]) -> Callable[..., None]:
    """Return a command that shows its outcome and exits as documented (errors.py draws the codes).

    Raises:
        Exit: By the command that is returned, with the code of what was refused, stopped, or does not hold.
    """

    @functools.wraps(command)
    def walked(*args: Any, **kwargs: Any) -> None:
        as_json = bool(kwargs.get("json"))
        try:
            document = command(*args, **kwargs).to_json()
        except IsocenterError as error:
            _refuse(error, as_json=as_json)
            raise typer.Exit(error.exit_code) from error
        except OSError as error:  # at the process's edge: what the filesystem refuses in any step, in its own words
            _say(f"error: {error.strerror or type(error).__name__}. Check the path, the rights to it and the disk.")
            raise typer.Exit(InputError.exit_code) from error
        except KeyboardInterrupt:
            _say("Stopped. Nothing half-written is left; the same command goes on from here.")
            raise typer.Exit(INTERRUPTED) from None
        if as_json:
            sys.stdout.write(json_format.dumps(document, ensure_ascii=False, indent=2) + "\n")
        else:
            show(document)
        if document.get("held") is False:
            raise typer.Exit(ProofError.exit_code)

    return walked


def _refuse(error: IsocenterError, *, as_json: bool) -> None:
    if as_json:
        kind = type(error).__name__
        document = {"error": {"type": kind, "message": str(error), "exit_code": error.exit_code}}
        sys.stdout.write(json_format.dumps(document, ensure_ascii=False, indent=2) + "\n")
    _say(f"error: {error}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
