"""A reader reads case after case, blindly: asked in the terminal, or with files for any viewer that are taken back."""

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocenter.case import Case, Dataset, Entry, Outline, Reading, Schema
from isocenter.errors import InputError, LayoutError
from isocenter.intake.cells import read_cells
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.labelling.imports.csv_table import reading_of
from isocenter.intake.labelling.imports.masks import open_mask
from isocenter.intake.labelling.interview import Ask, Interview, Stopped
from isocenter.intake.labelling.journal import Journal
from isocenter.intake.labelling.schema import read_schema
from isocenter.intake.labelling.serve import (
    ANSWERS,
    Served,
    Session,
    has_read,
    order_of,
    read_session,
    require_images,
    stated_table,
    structures_of,
    write_case,
    write_images,
    write_session,
)
from isocenter.intake.labelling.version import Answer, grown, with_answers
from isocenter.pipeline.exporting import require_new
from isocenter.pipeline.ground import Place, opened
from isocenter.pipeline.labelled import Labelled, saved
from isocenter.pipeline.predictions import whole_folder
from isocenter.plugins import did_you_mean
from isocenter.result import Check, Item
from isocenter.store import Store

STEP = "label_read"
WAYS = ("terminal", "files")


def read_cases(
    name: str,
    out: Path,
    *,
    reader: str,
    as_: str = "terminal",
    schema: Path | None = None,
    most: int = 0,
    seed: int = 0,
    back: bool = False,
    ask: Ask | None = None,
    store: Place = None,
) -> Labelled:
    """Serve cases to one reader, in an order of their own and without anybody's answers, and keep what they say.

    Args:
        name: Name or id of a data set.
        out: In the terminal a folder that shows the case at hand, and keeps answers until the session ends; as files
            a new folder with a case in each folder, an empty mask, and answers.csv to be filled in.
        reader: Who, in a word.
        as_: "terminal" or "files".
        schema: A TOML file that says what is asked; None takes that of the version.
        most: Cases at the most; 0 for all that this reader has not read.
        seed: Of the order.
        back: Take the answers back from a folder of files.
        ask: Whom questions go to, in the terminal.
        store: Where the data set is kept.

    Raises:
        NotFoundError: There is no such data set.
        InputError: Nothing is asked, nothing is left to read, no such way, or an answer that cannot be.
        FileError: The folder holds something else, or cannot be written.
        LayoutError: Answers in files that cannot be used; every one is named.
        StoreError: The store cannot be used.
    """
    out = Path(out)
    if as_ not in WAYS:
        raise InputError(f"There is no way to read {as_!r}. {did_you_mean(as_, list(WAYS))}")
    stated = None if schema is None else read_schema(Path(schema))
    with opened(store) as house, house.hold(f"reading:{reader}"):
        dataset = house.datasets.get(name)
        asked = (
            stated if dataset.schema is None else dataset.schema if stated is None else dataset.schema.joined(stated)
        )
        desk = _Desk(house=house, dataset=replace(dataset, schema=asked), base=dataset, reader=reader, seed=seed)
        if back:
            return desk.take_back(out)
        left = desk.left()[: most or None]
        if as_ == "files":
            return desk.lay_out(left, require_new(out))
        if ask is None or asked is None:
            raise InputError("In the terminal a reader is asked what a schema says: name one with --schema.")
        return desk.interview(left, out, ask, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """Where one reader reads one version.

    Args:
        dataset: The version, with the schema that is asked now.
        base: The version as it is kept.
    """

    house: Store
    dataset: Dataset
    base: Dataset
    reader: str
    seed: int

    def left(self) -> list[Entry]:
        """Return the cases that this reader has not read, in their order.

        Raises:
            InputError: There is none.
        """
        schema = self.dataset.schema
        ordered = order_of(self.dataset.entries, reader=self.reader, seed=self.seed)
        left = [entry for entry in ordered if not has_read(entry, self.reader, schema)]
        if not left:
            raise InputError(f"{self.reader} has read all {len(ordered)} cases of data set {self.dataset.name!r}.")
        return left

    def case(self, entry: Entry) -> Case:
        """Open a case without anybody's answers."""
        return self.house.case(self.dataset, replace(entry, outlines=(), readings=(), facts={}))

    def interview(self, left: list[Entry], out: Path, ask: Ask, schema: Schema) -> Labelled:
        """Ask case after case until all are read or the reader stops; then keep what was said.

        Raises:
            InputError: The reader stopped before the first case was read.
        """
        journal = Journal(out, reader=self.reader)
        done = journal.read()
        left = [entry for entry in left if entry.id not in done]
        try:
            for place, entry in enumerate(left, 1):
                done[entry.id] = self._one(entry, (place, len(left)), out, ask, schema)
                journal.add(entry.id, done[entry.id])
        except (Stopped, KeyboardInterrupt):  # what was said so far is kept
            pass
        if not done:
            raise InputError("No case was read. Nothing was kept.")
        kept = self._save([Answer(case=case, reading=reading) for case, reading in done.items()])
        journal.close()
        return kept

    def _one(self, entry: Entry, place: tuple[int, int], out: Path, ask: Ask, schema: Schema) -> Reading:
        shown = out / f"{place[0]:03d}"
        shown.mkdir(parents=True, exist_ok=True)
        try:
            paths = write_images(self.case(entry), shown)
            begun = time.monotonic()
            seen, sure = Interview(
                schema=schema, ask=ask, case=place, shown=", ".join(map(str, paths))
            ).hold()  # fmt: skip
            seconds = time.monotonic() - begun
        finally:
            shutil.rmtree(shown, ignore_errors=True)
        return Reading(
            reader=self.reader, image=_image(entry), asked=tuple(one.name for one in schema.findings),
            observations=seen, certainty=sure, seconds=round(seconds, 3), blinded=True,
        )  # fmt: skip

    def lay_out(self, left: list[Entry], out: Path) -> Labelled:
        """Write cases as files; nothing is kept until they come back.

        Raises:
            InputError: Nothing is asked.
        """
        table = structures_of(self.dataset.table, self.dataset.schema)
        if table is None and self.dataset.schema is None:
            raise InputError("Nothing is asked: name a schema with --schema, or structures to outline.")
        with whole_folder(out) as aside:
            served = tuple(
                write_case(
                    self.case(entry), f"{place:03d}", aside, token=self._token(entry), image=_image(entry), table=table
                )
                for place, entry in enumerate(left, 1)
            )
            session = Session(dataset=self.base.id, reader=self.reader, seed=self.seed, cases=served)
            write_session(session, aside, schema=self.dataset.schema, table=table)
        fields = {"reader": self.reader, "cases": len(served), "out": str(out), "receipt": None, "left": len(served)}
        return Labelled(step=STEP, name=self.base.name, dataset=self.base.id, fields=fields)

    def take_back(self, out: Path) -> Labelled:
        """Keep what a reader has drawn and written into the files that they were given.

        Raises:
            InputError: They are another reader's files.
            LayoutError: An answer that cannot be used, or none.
        """
        session = read_session(out)
        if session.reader != self.reader:
            raise InputError(f"These files were served to another reader than {self.reader!r}.")
        taken = _Back(desk=self, folder=out, session=session)
        try:
            answers = list(taken.answers())
            if taken.issues or not answers:
                listed = "\n".join(f"  {issue}" for issue in taken.issues)
                raise LayoutError(
                    f"{len(taken.issues)} problem(s) stop these answers ({len(answers)} are sound). Nothing was kept. "
                    f"{'Mend them.' if taken.issues else 'No mask and no line of answers.csv was filled in.'}\n{listed}"
                )
            return self._save(answers, table=taken.table, items=taken.items)
        except BaseException:
            self.house.datasets.discard(taken.digests)  # Ctrl-C too leaves nothing behind
            raise

    def _save(self, answers: list[Answer], *, table: Any = None, items: tuple[Item, ...] = ()) -> Labelled:
        with self.house.hold(f"dataset:{self.base.name}"):
            newest = self.house.datasets.get(self.base.name)
            schema = self.dataset.schema
            new = with_answers(newest, answers, table=table or newest.table, schema=schema, over=True)
            seconds = [one.reading.seconds for one in answers if one.reading and one.reading.seconds is not None]
            checks = (Check(name="others' answers hidden", held=True, figure="by type", limit="by type"),)
            facts = {"reader": self.reader, "seed": self.seed, "cases": len(answers), "seconds": sum(seconds)}
            receipt = saved(self.house, newest, new, step=STEP, inputs=items, checks=checks, facts=facts)
        left = sum(not has_read(entry, self.reader, schema) for entry in new.entries)
        fields = {"reader": self.reader, "cases": len(answers), "out": None, "receipt": receipt, "left": left}
        return Labelled(step=STEP, name=new.name, dataset=new.id, fields=fields)

    def _token(self, entry: Entry) -> str:
        return self.house.keys.pseudonym(f"{self.reader}:{entry.id}")

    def entry_of(self, token: str) -> Entry | None:
        """Return the case that was served under a token; None where the version holds it no more."""
        return next((entry for entry in self.dataset.entries if self._token(entry) == token), None)


class _Back:
    """Files that come back from a reader."""

    def __init__(self, *, desk: _Desk, folder: Path, session: Session) -> None:
        self._desk, self._folder, self._session = desk, folder, session
        self.table = structures_of(desk.dataset.table, desk.dataset.schema)
        self.issues: list[Issue] = []
        self.digests: list[str] = []
        self._files: dict[str, str] = {}

    @property
    def items(self) -> tuple[Item, ...]:
        """The masks that were read."""
        return tuple(Item(name=f"labels:{name}", digest=digest) for name, digest in self._files.items())

    def answers(self) -> Iterator[Answer]:
        """Yield what was said of each case; cases that nobody touched are left for later.

        Raises:
            InputError: Never: what is wrong with a case becomes an issue.
        """
        rows = self._rows()
        for served in self._session.cases:
            entry = self._desk.entry_of(served.token)
            try:
                if entry is None or _image(entry) != served.image:
                    raise InputError(
                        f"{served.number} was read on an image that this version does not hold any more. Have it read "
                        "again."
                    )
                require_images(served, self._folder)
                answer = self._one(served, entry, rows.get(served.number, []))
            except InputError as error:
                self.issues.append(issue_of(error, where=served.number))
                continue
            if answer is not None:
                yield answer

    def _one(self, served: Served, entry: Entry, rows: list[Mapping[str, str]]) -> Answer | None:
        desk, reading = self._desk, None
        schema = desk.dataset.schema
        if rows and schema is not None:
            reading = reading_of(rows, schema, entry, reader=desk.reader)
        elif rows and any(cell for row in rows for name, cell in row.items() if name != "number"):
            reading = reading_of(rows, Schema.from_document(_NOTHING), entry, reader=desk.reader)
        outline = self._outline(served, entry)
        if reading is None and outline is None:
            return None
        reading = replace(reading or Reading(reader=desk.reader), image=served.image, blinded=True)
        return Answer(case=entry.id, reading=reading, outline=outline)

    def _outline(self, served: Served, entry: Entry) -> Outline | None:
        """Keep a mask that was drawn into; an empty one that was saved again says that nothing is there."""
        stated = stated_table(self._folder)
        if not served.mask or stated is None:
            return None
        volume = self._desk.house.get_volume(_image(entry))
        mask, digest = open_mask(self._folder / served.number / Path(served.mask).name, stated, volume)
        if digest == served.untouched:
            return None
        self.table = grown(self._desk.dataset.table or self.table, stated)
        self._files[served.mask] = digest
        kept = self._desk.house.put_mask(mask.in_table(self.table))
        self.digests.append(kept)
        return Outline(reader=self._desk.reader, how="manual", digest=kept, present=mask.in_table(self.table).present)

    def _rows(self) -> dict[str, list[Mapping[str, str]]]:
        path = self._folder / ANSWERS
        found: dict[str, list[Mapping[str, str]]] = {}
        for _, cells in read_cells(path)[1] if path.is_file() else ():
            number = cells.get("number", "")
            # a spreadsheet takes the zeros away
            found.setdefault(number.zfill(3) if number.isdigit() else number, []).append(cells)
        return found


_NOTHING: Mapping[str, Any] = {
    "name": "",
    "is_stated": True,
    "findings": [{"name": "case", "several": False, "levels": []}],
}


def _image(entry: Entry) -> str:
    return next(iter(entry.volumes.values()))
