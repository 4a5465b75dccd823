"""Models and runs: what is kept as folders that other programs can open."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, insert, select

from isocenter.errors import FileError, NotFoundError, SealError
from isocenter.models.model import MANIFEST, Model, read_model
from isocenter.store.catalogue import MODELS, RUNS, Catalogue
from isocenter.store.files import Files, LocalFiles, told
from isocenter.store.versions import all_rows, by_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One model, as a list shows it: the version that it learnt from, and the run that left it."""

    id: str
    dataset: str
    run: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run, as a list shows it; `model` is empty until it is finished."""

    id: str
    dataset: str
    recipe: str
    at: str
    model: str = ""


class Models:
    """Folders of models by their id, in models/<id>; on a store elsewhere, a checked copy on this machine."""

    def __init__(self, files: Files, *, catalogue: Catalogue, here: LocalFiles) -> None:
        self._files = files
        self._catalogue = catalogue
        self._here = here

    def add(self, folder: Path, *, run: str, at: str) -> str:
        """Take in a copy of a model's folder and return its id. Seal its receipt first.

        Args:
            folder: As models.write_model left it.
            run: Id of the run that left it.
            at: UTC, ISO 8601.

        Raises:
            FileError, SealError: It is no model's folder, or was changed.
            StoreError: The disk is full, or the store may not be written.
        """
        model = read_model(folder)
        self._keep(model)
        with self._catalogue.begin() as connection:
            connection.execute(delete(MODELS).where(MODELS.c.id == model.id))
            connection.execute(insert(MODELS).values(id=model.id, dataset=model.dataset, run=run, at=at))
        return model.id

    def folder(self, name: str) -> Path:
        """Return a model's folder by its id, the first digits of it, its run, or "latest".

        Raises:
            NotFoundError: There is none.
            SealError: Files of it are gone.
        """
        return self.folder_of(self.find(name).id)

    def folder_of(self, id_: str, *, is_fresh: bool = False) -> Path:
        """Return the folder of a model by its whole id, listed or not.

        Args:
            id_: Model.id.
            is_fresh: On a store elsewhere, fetch it again though there is a copy on this machine.

        Raises:
            NotFoundError: It is not in the store.
            StoreError: The copy on this machine cannot be written.
        """
        there = f"models/{id_}"
        if self._here is not self._files and is_fresh:
            self._here.remove(there)
        if not self._here.has(f"{there}/{MANIFEST}"):
            names = self._files.names(there)
            if not names:
                raise NotFoundError(f"The files of model {id_[:16]}… are gone from the store.")
            _copy({name: self._files.read(f"{there}/{name}") for name in names}, self._here, there)
        return self._here.folder / there

    def find(self, name: str) -> ModelRow:
        """Return the row of a model by its id, the first digits of it, its run, or "latest".

        Raises:
            NotFoundError: There is none.
        """
        rows = self.rows()
        if name == "latest" and rows:
            return rows[0]
        of_run = [row for row in rows if row.run and row.run == name]
        found: ModelRow = of_run[0] if of_run else by_id(rows, name, kind="model")
        return found

    def rows(self) -> tuple[ModelRow, ...]:
        """Return every model, the newest first."""
        found = all_rows(self._catalogue, MODELS)
        return tuple(ModelRow(id=row.id, dataset=row.dataset, run=row.run, at=row.at) for row in found)

    def remove(self, name: str) -> ModelRow:
        """Remove a model. Hold the store alone.

        Raises:
            NotFoundError: There is none.
            StoreError: The store may not be written.
        """
        row = self.find(name)
        with self._catalogue.begin() as connection:
            connection.execute(delete(MODELS).where(MODELS.c.id == row.id))
        self._files.remove(f"models/{row.id}")
        self._here.remove(f"models/{row.id}")
        return row

    def _keep(self, model: Model) -> None:
        there = f"models/{model.id}"
        if isinstance(self._files, LocalFiles):
            if not _is_whole(self._files.folder / there):
                _copy(_bytes(model), self._files, there)
            return
        for name, payload in _bytes(model).items():
            self._files.write(f"{there}/{name}", [payload])


class Runs:
    """Folders of runs by their id, in runs/<id>, on this machine: a run goes on where it was begun."""

    def __init__(self, *, catalogue: Catalogue, here: LocalFiles) -> None:
        self._catalogue = catalogue
        self._here = here

    def folder(self, id_: str, *, dataset: str = "", recipe: str = "", at: str = "") -> Path:
        """Return the folder of a run by its whole id; made and listed when it is first asked for.

        Args:
            id_: Plan.id, or another file-name-safe word.
            dataset, recipe: Ids; kept when the run is new.
            at: UTC, ISO 8601; kept when the run is new.

        Raises:
            StoreError: The disk is full, or the store may not be written.
        """
        folder = self._here.folder / "runs" / id_
        with told(self._here.place, "written"):
            folder.mkdir(parents=True, exist_ok=True)
        with self._catalogue.begin() as connection:
            if connection.execute(select(RUNS).where(RUNS.c.id == id_)).first() is None:
                connection.execute(insert(RUNS).values(id=id_, dataset=dataset, recipe=recipe, at=at))
        return folder

    def path(self, name: str) -> Path:
        """Return where a file of a run lies, "ID/FILE", whether it is there or not."""
        return self._here.folder / "runs" / name

    def find(self, name: str) -> RunRow:
        """Return the row of a run by its id, the first digits of it, or "latest".

        Raises:
            NotFoundError: There is none.
        """
        rows = self.rows()
        found: RunRow = rows[0] if name == "latest" and rows else by_id(rows, name, kind="run")
        return found

    def rows(self) -> tuple[RunRow, ...]:
        """Return every run, the newest first."""
        left = {row.run: row.id for row in reversed(all_rows(self._catalogue, MODELS))}
        return tuple(
            RunRow(id=row.id, dataset=row.dataset, recipe=row.recipe, at=row.at, model=left.get(row.id, ""))
            for row in all_rows(self._catalogue, RUNS)
        )

    def remove(self, name: str) -> RunRow:
        """Remove a run's folder; the model that it left stays. Hold the store alone.

        Raises:
            NotFoundError: There is none.
            StoreError: The store may not be written.
        """
        row = self.find(name)
        with self._catalogue.begin() as connection:
            connection.execute(delete(RUNS).where(RUNS.c.id == row.id))
        self._here.remove(f"runs/{row.id}")
        return row


def _is_whole(folder: Path) -> bool:
    try:
        read_model(folder)
    except (FileError, SealError):
        return False
    return True


def _bytes(model: Model) -> dict[str, bytes]:
    """Return the files of a model, the manifest last: what has a manifest is whole."""
    return {name: (model.folder / name).read_bytes() for name in (*model.files, MANIFEST)}


def _copy(payloads: dict[str, bytes], files: LocalFiles, there: str) -> None:
    """Write a folder aside, then rename it to its place."""
    with told(files.place, "written"), files.aside() as aside:
        for name, payload in payloads.items():
            LocalFiles(aside).write(name, [payload])
        LocalFiles(aside).tidy()
        target = files.folder / there
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            files.remove(there)
        aside.rename(target)
