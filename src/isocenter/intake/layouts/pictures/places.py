"""From the cell of a table to the file that it names."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from isocenter.intake.layouts.folder import files_under, name_in, stem_of

MASK_FOLDERS = frozenset({
    "mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "segmentations",
    "segmentationclass", "gt", "groundtruth", "ground_truth", "outlines",
})  # fmt: skip
"""Names of folders that hold label images, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a cell leads: to a path, or nowhere, and then why."""

    path: Path | None
    why: str = ""
    is_outside: bool = False


class Places:
    """The files of a folder, looked up as people write paths: whole, by name, or by name without ending."""

    def __init__(self, folder: Path) -> None:
        """List a folder once.

        Raises:
            LayoutError: A folder inside may not be read.
        """
        self.folder = folder
        self.files = tuple(files_under(folder))
        self._whole = {name_in(path, folder): path for path in self.files}
        self._named: dict[str, list[Path]] = defaultdict(list)
        for path in self.files:
            for name in {path.name, path.stem, stem_of(path)}:
                self._named[name].append(path)

    def find(self, cell: str, *, is_mask: bool = False) -> Place:
        """Return the file or folder that a cell names.

        Args:
            cell: A path from the folder on, or the name of a file wherever it lies, also without its ending.
            is_mask: Where files of one name lie in several folders, takes the one in a folder of masks, else the other.
        """
        written = PurePosixPath(cell.replace("\\", "/"))
        if written.is_absolute():
            written = PurePosixPath(os.path.relpath(written, self.folder.resolve()).replace(os.sep, "/"))
        normal = PurePosixPath(os.path.normpath(written))
        if ".." in normal.parts or cell[1:2] == ":":
            return Place(path=None, why="it leads out of the folder", is_outside=True)
        if normal.as_posix() in self._whole:
            return Place(path=self._whole[normal.as_posix()])
        if normal.parts and os.path.isdir(self.folder / normal):  # noqa: PTH112 - Path raises at a name too long
            return Place(path=self.folder / normal)
        named = self._named.get(normal.name, []) if len(normal.parts) == 1 else []
        if len(named) > 1:
            named = [path for path in named if (path.parent.name.lower() in MASK_FOLDERS) is is_mask] or named
        if len(named) == 1:
            return Place(path=named[0])
        if named:
            return Place(path=None, why=f"{len(named)} files are called so; write the path from the folder on")
        return Place(path=None, why="there is no such file")
