"""Imports go down only, nouns know no verb, and each outside package has its rooms."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2] / "src" / "isocenter"

# From the ground up; rooms of one line do not import each other, except nouns, which may speak of nouns.
FLOORS = (
    ("errors",),
    ("plugins",),
    ("image",),
    ("result",),
    ("recipe", "case"),
    ("processing", "models", "metrics", "pages"),
    ("dicom", "security"),
    ("store",),
    ("intake",),
    ("learning",),
    ("trust",),
    ("clinic",),
    ("pipeline",),
    ("cli", "server", "scale"),
    ("testing",),
)
WINGS = {
    "learning": (("cost", "tasks", "fusion", "strategies"), ("inference",), ("training",)),
    "intake": (("layouts", "quality", "deid", "labelling"),),
    "clinic": (("reporting",), ("hospital",)),
}

# Outside package -> the rooms that may import it; a room not listed here stays free of it.
OUTSIDE = {
    "torch": ("processing.transforms", "models", "learning", "testing.networks"),
    "safetensors": ("models", "learning", "testing.networks"),
    "pydicom": ("dicom", "intake.deid", "clinic.hospital", "testing"),
    "pynetdicom": ("clinic.hospital",),
    "dicomweb_client": ("clinic.hospital",),
    "requests": ("clinic.hospital",),
    "highdicom": ("dicom", "testing"),
    "gdcm": ("dicom",),
    "nibabel": ("image",),
    "SimpleITK": ("image", "metrics", "processing", "dicom"),
    "sqlalchemy": ("store",),
    "fsspec": ("store",),
    "cryptography": ("security",),
    "jinja2": ("pages", "clinic.reporting"),
    "typst": ("pages",),
    "typer": ("cli",),
    "rich": ("cli",),
    "PIL": ("image", "pages", "dicom", "processing.text"),
    "rapidocr": ("processing.text",),
    "skimage": ("processing.restoration",),
    "dicomanonymizer": ("intake.deid",),
    "fastapi": ("server",),
    "ray": ("scale",),
    "monai": ("models",),
    "openvino": ("learning.inference",),
}
WITHOUT_TORCH = ("models/model.py", "models/card.py")


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(HOUSE.rglob("*.py")):
        dotted = path.relative_to(HOUSE).with_suffix("").as_posix().replace("/", ".")
        yield dotted.removesuffix(".__init__"), path


KNOWN = {name for name, _ in modules()}


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, also inside functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the whole name"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name.removeprefix("isocenter.") in KNOWN else node.module or "" for name in inner)


def floor(room: str) -> int:
    return next(height for height, rooms in enumerate(FLOORS) if room in rooms)


def own_imports(path: Path) -> Iterator[str]:
    for name in imports(path):
        if name.startswith("isocenter.") and not name.startswith("isocenter.__"):
            yield name.removeprefix("isocenter.")


CODE = [pytest.param(name, path, id=name) for name, path in modules() if name not in {"__init__", "__main__"}]


@pytest.mark.parametrize(("name", "path"), CODE)
def test_a_room_imports_only_from_lower_floors(name: str, path: Path) -> None:
    room = name.split(".")[0]
    for target in own_imports(path):
        other = target.split(".")[0]
        assert other == room or floor(other) < floor(room), f"{name} imports {target}, which is not below it"


@pytest.mark.parametrize(("name", "path"), [p for p in CODE if p.values[0].split(".")[0] in WINGS])
def test_rooms_of_a_wing_import_downwards(name: str, path: Path) -> None:
    wing, _, rest = name.partition(".")
    rows = WINGS[wing]
    height = {room: place for place, row in enumerate(rows) for room in row}
    here = rest.split(".")[0]
    for target in own_imports(path):
        there = target.split(".")[1] if target.startswith(f"{wing}.") else here
        if there in height and here in height and there != here:
            assert height[there] < height[here], f"{name} imports {target}, which is not below it in the wing"


@pytest.mark.parametrize(("name", "path"), CODE)
def test_outside_packages_stay_in_their_rooms(name: str, path: Path) -> None:
    for target in imports(path):
        package = target.split(".")[0]
        allowed = OUTSIDE.get(package)
        if allowed is None:
            continue
        assert any(name == room or name.startswith(f"{room}.") for room in allowed), f"{name} imports {package}"
        if package == "torch":
            assert path.relative_to(HOUSE).as_posix() not in WITHOUT_TORCH, f"{name} must not need torch"


def test_no_two_modules_import_each_other() -> None:
    graph = {name: set(own_imports(path)) for name, path in modules()}
    for name in graph:
        seen: set[str] = set()
        queue = [target for target in graph[name] if target in graph]
        while queue:
            here = queue.pop()
            # a room's __init__ hands on names of its files; the files themselves must not come back to it
            assert here != name, f"{name} imports itself by way of others"
            if here not in seen:
                seen.add(here)
                queue += [target for target in graph[here] if target in graph]


def test_every_room_stands_on_a_floor() -> None:
    rooms = {name.split(".")[0] for name, _ in modules()} - {"__init__", "__main__", ""}
    known = {room for rooms_ in FLOORS for room in rooms_}
    assert rooms <= known
