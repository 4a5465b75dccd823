"""Every step has a command with the same parameters, an example in its help, and starts without torch."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from isocenter import pipeline
from isocenter.cli import commands, data, hospital, keeping, labels, learning, privacy, reading, sources, versions
from isocenter.pipeline.steps import STEPS

OF_THE_SCREEN = {"json"}  # what only a command has: how to show
OF_PYTHON = {"progress", "curves", "ask"}  # what only a function has: whom to tell, whom to ask
KEPT = {"list_kept", "show_kept", "remove_kept"}
WITHOUT_TORCH = (
    ["--help"],
    ["info"],
    ["info", "--json"],
    ["doctor", "--json"],
    ["scan", "."],
    ["verify", "--help"],
    ["deid", ".", "--dry-run"],
)


def command_of(step: str) -> object:
    rooms = (data, hospital, keeping, labels, learning, privacy, reading, sources, versions)
    return getattr(next(room for room in rooms if hasattr(room, step)), step)


def parameters(function: object) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", sorted(set(STEPS) - KEPT))
def test_a_step_has_a_command_with_the_same_parameters(step: str) -> None:
    words = set(parameters(command_of(step))) - OF_THE_SCREEN
    asked = set(parameters(getattr(pipeline, step))) - OF_PYTHON
    assert words == asked


@pytest.mark.parametrize("step", sorted(set(STEPS) - KEPT))
def test_a_step_and_its_command_have_the_same_defaults(step: str) -> None:
    asked = parameters(getattr(pipeline, step))
    for name, parameter in parameters(command_of(step)).items():
        if name in OF_THE_SCREEN or parameter.default is parameter.empty:
            continue
        there = asked[name].default
        assert (parameter.default or None) == (there or None) or str(parameter.default) == ",".join(there), name


@pytest.mark.parametrize("name", [command.name for command in commands.app.registered_commands])
def test_the_help_of_a_command_holds_an_example(name: str) -> None:
    told = subprocess.run([*ISOCENTER, name, "--help"], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"Example: isocenter {name}\b", told)


@pytest.mark.parametrize(
    ("app", "name"),
    [
        (app, command.name)
        for app, room in (
            ("vault", privacy.vault_app),
            ("source", sources.source_app),
            ("version", versions.version_app),
            ("label", labels.label_app),
        )
        for command in room.registered_commands
    ],
)
def test_the_help_of_a_command_of_a_group_holds_an_example(app: str, name: str) -> None:
    told = subprocess.run([*ISOCENTER, app, name, "--help"], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"Example: isocenter {app} {name}\b", told)


@pytest.mark.parametrize("kind", ["runs", "models", "datasets"])
def test_the_help_of_a_shelf_names_its_commands(kind: str) -> None:
    told = subprocess.run([*ISOCENTER, kind, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(word in told for word in ("list", "show", "remove"))


@pytest.mark.parametrize("words", WITHOUT_TORCH, ids=" ".join)
def test_a_light_command_does_not_load_torch(words: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\nfrom isocenter.cli import main\nsys.argv = ['isocenter', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('TORCH' if 'torch' in sys.modules else 'LIGHT')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ended.stderr.endswith("LIGHT"), ended.stderr


def test_importing_isocenter_is_light() -> None:
    script = "import sys, isocenter; sys.exit(bool({'torch', 'numpy', 'pydicom'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_every_step_that_fits_asks_who_is_frozen() -> None:
    rooms = sorted((Path(pipeline.__file__).parent).glob("*.py"))
    fitting = [path for path in rooms if re.search(r"import .*\bfit\b", path.read_text(encoding="utf-8"))]
    assert fitting
    assert all("require_learnable(" in path.read_text(encoding="utf-8") for path in fitting)


def test_unknown_words_exit_with_2() -> None:
    assert subprocess.run([*ISOCENTER, "trian"], capture_output=True, check=False).returncode == 2


ISOCENTER = [sys.executable, "-m", "isocenter"]
