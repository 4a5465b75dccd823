"""A version of a data set becomes a folder that others read, with its terms, its manifest and its receipts."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from isocenter.errors import FileError, LayoutError, NotFoundError
from isocenter.intake.layouts.writing import WRITERS
from isocenter.intake.layouts.writing.manifest import NOT_STATED, names_in, write_manifest, write_terms
from isocenter.intake.layouts.writing.order import Order, Writer
from isocenter.pipeline.ground import Place, Watch, dataset_item, opened, seal, told
from isocenter.pipeline.predictions import whole_folder
from isocenter.pipeline.public import document
from isocenter.plugins import did_you_mean, find
from isocenter.result import Item
from isocenter.store.evidence import sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A data set written as a folder.

    Args:
        dataset: Id of the version.
        form: Name of the form.
        cases, files: How many were written.
        terms: The licence, or "not stated".
        notes: What the form cannot hold, or holds otherwise.
    """

    name: str
    dataset: str
    form: str
    out: Path
    cases: int
    files: int
    terms: str
    notes: Sequence[str]
    receipt: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `datasets export`."""
        return document(
            "export",
            name=self.name,
            dataset=self.dataset,
            form=self.form,
            out=str(self.out),
            cases=self.cases,
            files=self.files,
            terms=self.terms,
            notes=list(self.notes),
            receipt=self.receipt,
            seconds=self.seconds,
        )


def export_dataset(name: str, out: Path, *, as_: str, store: Place = None, progress: Watch | None = None) -> Exported:
    """Write a data set as a folder of another form, with manifest.json, TERMS.md and the receipts behind it.

    Args:
        name: Name or id of a data set.
        out: A folder that is not there yet; it appears whole or not at all.
        as_: The form: "nnunet", "bids" or "pictures".
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such data set.
        LayoutError: There is no such form.
        InputError: The form cannot hold this data set; the message says which can.
        FileError: The folder is there already, or cannot be written.
        SealError: A volume or mask in the store was changed.
    """
    begun = time.monotonic()
    out, write = Path(out), _writer(as_)
    if out.exists():
        raise FileError(f"{out} exists, and an export does not write over anything. Name a new folder.")
    with opened(store) as house:
        dataset = house.datasets.get(name)
        order = Order(dataset=dataset, case=lambda entry: house.case(dataset, entry), progress=told(progress, "export"))
        made = dataset_item(house, dataset)
        with whole_folder(out) as aside:
            written = write(order, aside)
            write_terms(aside, dataset)
            write_manifest(aside, order, written, form=as_, receipt=made.receipt)
            names = names_in(aside)
            receipt = seal(
                house, "export", inputs=(made,),
                outputs=tuple(Item(name=f"file:{one}", digest=sha256_of(aside / one)) for one in names),
                facts={"form": as_, "terms": dataset.source.licence or NOT_STATED},
            )  # fmt: skip
            house.receipts.export(receipt, aside)
    return Exported(
        name=dataset.name, dataset=dataset.id, form=as_, out=out, cases=len(written.cases), files=len(names),
        terms=dataset.source.licence or NOT_STATED, notes=written.notes, receipt=receipt,
        seconds=time.monotonic() - begun,
    )  # fmt: skip


def _writer(form: str) -> Writer:
    try:
        return cast("Writer", find(form, table=WRITERS, group="isocenter.writers"))
    except NotFoundError as error:
        raise LayoutError(f"There is no form {form!r} to export to. {did_you_mean(form, sorted(WRITERS))}") from error
