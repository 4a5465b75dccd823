"""Tables beside images: paths and patients called as the files now are, columns that a site vouches for, no other."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from isocenter.errors import LayoutError
from isocenter.intake.cells import USUAL_NAMES, read_rows, squeezed_name
from isocenter.intake.deid.identity import Identity, identity_in, patient_numbered
from isocenter.intake.deid.proof.raw import words_left
from isocenter.intake.deid.treat import DICOM, PICTURES, Way
from isocenter.intake.deid.treated import Treated

_PATHS = frozenset(USUAL_NAMES["path"] + USUAL_NAMES["mask"])
_SEVERAL = 0.5  # of a column's cells: from this share of values met once, they tell lines apart
_FEW_WORDS = 3  # a cell of so many may be a name, whose words are looked for one by one

_UNREADABLE = "A table that cannot be read. Save it again as CSV in UTF-8."
_NO_PATHS = "A table in which no column of a usual name ('path', 'image', 'mask') leads to files of the run."
_NO_LINES = "A table of which no line leads to files that leave."
_LEFT = "table: {count} word(s) of what was taken out of it are still there"


@dataclass(frozen=True, slots=True)
class Names:
    """What the files of a run were called, and what was done with each.

    Args:
        by_path: Path below the run's root to file.
        by_name: Name to the files of that name.
    """

    by_path: Mapping[PurePosixPath, Treated]
    by_name: Mapping[str, Sequence[Treated]]

    @classmethod
    def of(cls, root: Path, sources: Sequence[Path], files: Iterable[Treated]) -> "Names":
        """Return the names of files below a root."""
        by_path = {PurePosixPath(sources[file.number - 1].relative_to(root)): file for file in files}
        by_name: dict[str, list[Treated]] = defaultdict(list)
        for path, file in by_path.items():
            by_name[path.name].append(file)
        return cls(by_path, by_name)

    def find(self, cell: str, folder: PurePosixPath) -> Treated | None:
        """Return the file that a cell leads to: from its table's folder, from the root, or by a name of its own."""
        path = PurePosixPath(cell.strip().replace("\\", "/"))
        for whole in (folder / path, path):
            if whole in self.by_path:
                return self.by_path[whole]
        alike = self.by_name.get(path.name, ())
        return alike[0] if len(alike) == 1 and len(path.parts) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one table, and whom it named.

    Args:
        file: As the evidence tells it.
        people: Pseudonym to the number that the table had for the patient.
    """

    file: Treated
    people: Mapping[str, str] = field(default_factory=dict, repr=False)


def treat_table(way: Way, path: Path, file: Treated, *, names: Names) -> Told:
    """Write a table anew beside the files that it leads to.

    What leaves of it: lines whose files all leave, their paths, the patient as a pseudonym, and the columns that the
    site's recipe names with a reason.

    Args:
        way: Of the run.
        path: Of the table.
        file: Of it; what is understood takes its place.
        names: Of the other files.

    Raises:
        OSError: It cannot be written.
    """
    try:
        rows, _ = read_rows(path)
    except LayoutError:
        return Told(file=replace(file, reason=_UNREADABLE))
    sheet = _Sheet.of(way, rows, folder=PurePosixPath(path.relative_to(way.root).parent), names=names)
    if not sheet.paths:
        return Told(file=replace(file, reason=_NO_PATHS))
    lines, people = sheet.renamed(way)
    if not lines:
        return Told(file=replace(file, reason=_NO_LINES))
    place = _place(
        way, sheet.folder, [PurePosixPath(cell) for line in lines for cell in line[: len(sheet.paths)] if cell]
    )
    name = str(place / f"{way.pseudonyms.text('file', str(sheet.folder / path.stem))}.csv")
    _write(way.out / name, sheet.headers(), ([_below(place, cell) for cell in line] for line in lines))
    removed = (f"{len(rows) - 1 - len(lines)} lines", f"{len(rows[0]) - len(sheet.headers())} columns")
    done = replace(file, decision="release", reason="", name=name, removed=removed)
    return Told(file=_looked_at_again(way, done, sheet), people=people)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A table by what its columns are.

    Args:
        folder: It lies there, below the run's root.
        rows: Its lines, the first one the headers.
        paths, kept: Columns that lead to files, and those that the site vouches for.
        patient: Column of patients, None without one.
        names: Of the run's files.
    """

    folder: PurePosixPath
    rows: Sequence[Sequence[str]]
    paths: Sequence[int]
    kept: Sequence[int]
    patient: int | None
    names: Names

    @classmethod
    def of(cls, way: Way, rows: Sequence[Sequence[str]], *, folder: PurePosixPath, names: Names) -> "_Sheet":
        """Return a table as it is understood."""
        headers, site = [header.strip() for header in rows[0]] if rows else [], way.profile.site
        usual = [
            place for place, header in enumerate(headers) if squeezed_name(header) in _PATHS or header in site.columns
        ]
        paths = [
            place for place in usual if any(names.find(row[place], folder) for row in rows[1:] if len(row) > place)
        ]
        patient = next((place for place, header in enumerate(headers) if header and header == site.patient), None)
        if patient is None:
            patient = next(
                (place for place, header in enumerate(headers) if squeezed_name(header) in USUAL_NAMES["patient"]), None
            )
        kept = [place for place, header in enumerate(headers) if header in site.columns and place not in paths]
        kept = [place for place in kept if place != patient]
        return cls(folder=folder, rows=rows, paths=paths, kept=kept, patient=patient, names=names)

    def headers(self) -> list[str]:
        """Return the headers of what leaves."""
        named = [self.rows[0][place].strip() for place in (*self.paths, *self.kept)]
        return named if self.patient is None else [*named, "patient"]

    def renamed(self, way: Way) -> tuple[list[list[str]], dict[str, str]]:
        """Return the lines that leave, paths as they are in OUT, and whom the pseudonyms of patients stand for."""
        lines, people = [], dict[str, str]()
        for row in self.rows[1:]:
            files = [self.names.find(cell, self.folder) if cell.strip() else None for cell in self._cells(row)]
            led = [file for file in files if file is not None]
            if not led or any(file.decision != "release" for file in led):
                continue
            line = [file.name if file is not None else "" for file in files]
            line += [_cell(row, place) for place in self.kept]
            if self.patient is not None:
                number = _cell(row, self.patient)
                word = led[0].patient or (way.pseudonyms.patient(patient_numbered(number)) if number else "")
                people |= {word: number} if word else {}
                line.append(word)
            lines.append(line)
        return lines, people

    def _cells(self, row: Sequence[str]) -> Iterator[str]:
        return (_cell(row, place) for place in self.paths)

    def telling(self) -> Identity:
        """Return what stood in the columns that do not leave and tells one line from the others."""
        strings: dict[str, str] = {}
        for place in set(range(len(self.rows[0]))) - set(self.kept):
            cells = (_cell(row, place) for row in self.rows[1:])
            met = Counter(PurePosixPath(cell).stem if place in self.paths else cell for cell in cells)
            once = [cell for cell, count in met.items() if cell and count == 1]
            if place == self.patient or len(once) >= _SEVERAL * len(met):
                told = met if place == self.patient else once
                strings |= {cell: "name" if _may_be_a_name(cell) else "id" for cell in told if cell}
        return identity_in(strings)


def _looked_at_again(way: Way, told: Treated, sheet: _Sheet) -> Treated:
    """Return a table proved, or moved to where a person looks at it."""
    if way.second is None:
        return told
    now = way.out / told.name
    left = words_left(now, sheet.telling())
    if not left:
        return replace(told, is_proved=True)
    target = way.review / told.name
    target.parent.mkdir(parents=True, exist_ok=True)
    now.rename(target)
    return replace(told, decision="review", reason=_LEFT.format(count=len(left)))


def _place(way: Way, folder: PurePosixPath, files: Sequence[PurePosixPath]) -> PurePosixPath:
    """Return the folder of OUT for a table: where it lay before, or further out, so that all its files lie below."""
    for place in (way.pictures(folder), *(PurePosixPath(kind) for kind in (PICTURES, DICOM))):
        if all(place in file.parents for file in files):
            return place
    return PurePosixPath()


def _below(place: PurePosixPath, cell: str) -> str:
    path = PurePosixPath(cell)
    return str(path.relative_to(place)) if place in path.parents else cell


def _write(path: Path, headers: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headers)
        writer.writerows(lines)


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if len(row) > place else ""


def _may_be_a_name(cell: str) -> bool:
    return len(cell.split()) <= _FEW_WORDS and not any(letter.isdigit() for letter in cell)
