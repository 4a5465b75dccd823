"""Names say what is inside, sizes stay readable, and nobody prints or swallows."""

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
SOURCES = sorted((HOUSE / "src" / "isocenter").rglob("*.py"))
BANNED = re.compile(r"(^|_)(utils?|utilities|helpers?|common|misc|managers?|handlers?|base|core|engine)(_|$)")
LONGEST_FILE, LONGEST_FUNCTION, MOST_METHODS = 500, 60, 12
TABLES_OF_A_STANDARD: frozenset[str] = frozenset()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(HOUSE / "src").as_posix())
def test_a_file_is_named_and_sized_well(path: Path) -> None:
    for part in path.relative_to(HOUSE / "src").with_suffix("").parts:
        assert not BANNED.search(part), f"{part} says nothing of what is inside"
    text = path.read_text(encoding="utf-8")
    if path.name not in TABLES_OF_A_STANDARD:
        assert text.count("\n") <= LONGEST_FILE
    assert not re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", text)
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module's first line says what it holds"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = ast.get_docstring(node, clean=False) or ""
            lines = (node.end_lineno or 0) - node.lineno - doc.count("\n")
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"
        if isinstance(node, ast.ClassDef):
            public = [part for part in node.body if isinstance(part, ast.FunctionDef) and not part.name.startswith("_")]
            assert len(public) <= MOST_METHODS, f"{node.name} has {len(public)} public methods"
            assert not re.search(r"(Manager|Handler|Helper|Utils?|Base)$", node.name)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(HOUSE / "src").as_posix())
def test_a_function_that_raises_says_so(path: Path) -> None:
    """Public functions that raise on purpose name the errors in their docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in [*tree.body, *(member for one in classes for member in one.body)]:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        raised = [one for one in ast.walk(node) if isinstance(one, ast.Raise) and one.exc is not None]
        if raised:
            assert "Raises:" in (ast.get_docstring(node) or ""), f"{node.name} raises without saying so"


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of a machine and no name of the folder beside the project, outside tests, benchmarks and .ci."""
    told = re.compile(r"\.\./shared|/home/|/root/|/Users/")
    places = [*SOURCES, *(HOUSE / "docs").rglob("*.md"), HOUSE / "README.md", *(HOUSE / "examples").rglob("*.toml")]
    for path in places:
        found = told.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.relative_to(HOUSE)} names {found.group()}"


def test_the_readme_is_short() -> None:
    assert (HOUSE / "README.md").read_text(encoding="utf-8").count("\n") <= 120
