"""Pascal VOC: one XML file a picture, with boxes in pixels from 1, both ends included."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from isocenter.case import Schema
from isocenter.errors import FileError, InputError, LayoutError
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.labelling.imports.drawn import Drawn, reading_of, require_size, schema_of_names
from isocenter.intake.labelling.imports.trees import parsed
from isocenter.intake.labelling.said import Heard, Said, Wanted, homeless
from isocenter.intake.steady import read_steady

_Tree = tuple[Path, str, ElementTree.Element]


def read_voc(path: Path, wanted: Wanted) -> Heard:
    """Return the boxes in VOC files; a folder of a reader's own within the folder names that reader.

    Raises:
        InputError: There are none, or nothing is drawn in any.
    """
    paths = sorted(path.rglob("*.xml")) if path.is_dir() else [path]
    trees: list[_Tree] = []
    issues: list[Issue] = []
    for one in paths:
        try:
            trees.append(_opened(one))
        except InputError as error:
            issues.append(issue_of(error, where=one.name))
    names = {_text(drawn, "name") for _, _, tree in trees for drawn in tree.iter("object")}
    if not names:
        raise LayoutError(f"{path.name}: none of {len(paths)} files holds an object. {issues[0] if issues else ''}")
    schema = wanted.schema_with(lambda: schema_of_names(names, name="voc"))
    root = path if path.is_dir() else path.parent
    return Heard(form="voc", schema=schema, said=_said(trees, issues, root, schema, wanted))


def _opened(path: Path) -> _Tree:
    content, digest = read_steady(path, name=path.name)
    tree = parsed(content, name=path.name)
    if tree.tag != "annotation":
        raise FileError(f"{path.name} is no VOC annotation; it begins with {tree.tag!r}.")
    return path, digest, tree


def _said(
    trees: list[_Tree], issues: list[Issue], root: Path, schema: Schema, wanted: Wanted
) -> Iterator[Said | Issue]:
    yield from issues
    for path, digest, tree in trees:
        where = path.relative_to(root).as_posix()
        entry = wanted.case_of(path.name, _text(tree, "filename"))
        if entry is None:
            yield homeless(where)
            continue
        try:
            size = int(_text(tree, "size/height") or 0), int(_text(tree, "size/width") or 0)
            require_size(wanted.image(entry), size if all(size) else None)
            folder = path.parent.name if path.parent != root else ""
            drawn = [_drawn(one) for one in tree.iter("object")]
            reading, flat = reading_of(drawn, schema, entry, reader=wanted.named("" if wanted.reader else folder))
        except (InputError, ValueError) as error:
            told = error if isinstance(error, InputError) else FileError(f"a size or corner is no number ({error})")
            yield issue_of(told, where=where)
            continue
        yield from flat
        yield Said(case=entry.id, reading=reading, files={where: digest})


def _drawn(told: ElementTree.Element) -> Drawn:
    corners: Mapping[str, float] = {name: float(_text(told, f"bndbox/{name}") or "nan") for name in _CORNERS}
    low, high = (corners["ymin"], corners["xmin"]), (corners["ymax"], corners["xmax"])
    # both ends included, so that one pixel wide is xmin = xmax; many writers mean no extent by it, and so does this
    if high[0] > low[0] and high[1] > low[1]:
        low = max(low[0] - 1, 0.0), max(low[1] - 1, 0.0)  # some writers count from 0
    return Drawn(name=_text(told, "name"), box=(*low, *high))


_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def _text(tree: ElementTree.Element, path: str) -> str:
    return (tree.findtext(path) or "").strip()
