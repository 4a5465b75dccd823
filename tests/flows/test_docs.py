"""What the pages show runs: tutorials whole, Python everywhere, and every command line names what exists."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from isocenter.recipe import recipe_from
from tests.flows.world import ENVIRONMENT, World, isocenter

pytestmark = pytest.mark.xdist_group("flows")

HOUSE = Path(__file__).resolve().parents[2]
PAGES = [HOUSE / "README.md", HOUSE / "CONTRIBUTING.md", *sorted((HOUSE / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of a page in some languages."""
    return [text for language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if language in languages]


def name(page: Path) -> str:
    return page.relative_to(HOUSE).as_posix()


@pytest.fixture(scope="module")
def desk(world: World) -> Path:
    """Return a folder with what the tutorial speaks of: bodies/, study/, and no store yet."""
    folder = world.folder / "desk"
    shutil.copytree(world.cohort, folder / "bodies")
    shutil.copytree(world.study, folder / "study")
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which `isocenter` is this isocenter, and `python` the Python that runs it."""
    folder = tmp_path_factory.mktemp("bin")
    for word, meant in (("isocenter", f"{sys.executable} -m isocenter"), ("python", sys.executable)):
        (folder / word).write_text(f'#!/bin/sh\nexec {meant} "$@"\n')
        (folder / word).chmod(0o755)
    return {**ENVIRONMENT, "PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize("page", sorted((HOUSE / "docs" / "tutorial").glob("*.md")), ids=name)
def test_a_tutorial_runs_as_it_stands(page: Path, desk: Path, environment: dict[str, str]) -> None:
    for text in blocks(page, "sh"):
        ended = subprocess.run(
            ["sh", "-e", "-c", text], cwd=desk, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{text}\n{ended.stdout}\n{ended.stderr}"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name)
def test_python_on_a_page_runs(page: Path, desk: Path, environment: dict[str, str]) -> None:
    script = "\n".join(blocks(page, "python"))
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=desk, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_toml_and_json_on_a_page_are_such(page: Path) -> None:
    for text in blocks(page, "toml"):
        tomllib.loads(text)
    for text in blocks(page, "json"):
        json.loads(text)


def test_the_recipe_page_shows_a_recipe_that_can_be() -> None:
    (shown,) = blocks(HOUSE / "docs" / "reference" / "recipe.md", "toml")
    recipe = recipe_from(tomllib.loads(shown))
    assert recipe.training.minutes == 20.0
    missing = [key for section in recipe.to_document().values() for key in section if f"{key} =" not in shown]
    assert not missing


@cache
def told_by(*words: str) -> str:
    return isocenter(*words, "--help").out


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_command_lines_on_a_page_name_what_exists(page: Path) -> None:
    for text in blocks(page, "sh", "text"):
        for line in text.replace("\\\n", " ").splitlines():
            words = line.split("#")[0].split()
            if words[:1] != ["isocenter"] or len(words) < 2:
                continue
            command = (
                words[1:3]
                if words[1] in ("runs", "models", "datasets", "vault", "source", "version", "label")
                else words[1:2]
            )
            told = told_by(*command)
            for option in (word for word in words if word.startswith("--")):
                assert f"{option} " in told or f"{option}\n" in told, f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "README.md"], ids=name)
def test_a_page_is_reached_from_another(page: Path) -> None:
    links = {
        (other.parent / target).resolve()
        for other in PAGES
        for target in re.findall(r"\]\(([^)#]+)\)", other.read_text(encoding="utf-8"))
        if other != page
    }
    shelves = {HOUSE / "docs" / "decisions"}  # numbered: who looks for one looks into the folder
    assert page in links or page.parent in links & shelves


def test_the_table_of_example_recipes_lists_each_of_them() -> None:
    told = (HOUSE / "docs" / "reference" / "recipes.md").read_text(encoding="utf-8")
    there = {path.relative_to(HOUSE).as_posix() for path in (HOUSE / "examples").rglob("*.toml")}
    assert there == set(re.findall(r"\(\.\./\.\./(examples/[^)]+\.toml)\)", told))
