"""A version of a data set becomes a folder that others read, with its terms, its manifest and its receipts."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from isocenter.case import Dataset
from isocenter.errors import FileError, LayoutError, NotFoundError
from isocenter.intake.layouts.writing import WRITERS
from isocenter.intake.layouts.writing.manifest import names_in, terms_of, write_manifest, write_terms
from isocenter.intake.layouts.writing.order import Order, Writer
from isocenter.pipeline.ground import Place, Watch, opened, seal, told
from isocenter.pipeline.predictions import whole_folder
from isocenter.pipeline.public import document
from isocenter.pipeline.sourcing import require_use
from isocenter.plugins import did_you_mean, find
from isocenter.result import Check, Item
from isocenter.store import Store
from isocenter.store.evidence import sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A data set written as a folder.

    Args:
        step: "export" or "publish".
        dataset: Id of the version.
        form: Name of the form.
        cases, files: How many were written.
        terms: The licence, or what its sources grant, or "not stated".
        notes: What the form cannot hold, or holds otherwise.
    """

    step: str
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
        """Return the public document of `datasets export` or `publish`."""
        return document(
            self.step,
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
        TermsError: A source of the cases does not grant sharing, or no longer.
        FileError: The folder is there already, or cannot be written.
        SealError: A volume or mask in the store was changed.
    """
    begun = time.monotonic()
    out, write = require_new(out), writer_of(as_)
    with opened(store) as house:
        dataset = house.datasets.get(name)
        order = Order(
            dataset=dataset, case=partial(house.case, dataset), grants=require_use(house, dataset, "sharing"),
            progress=told(progress, "export"),
        )  # fmt: skip
        with whole_folder(out) as aside:
            exported = write_out(
                house, order, aside, write=write, form=as_, step="export", inputs=[_made(house, order)]
            )
    return replace(exported, out=out, seconds=time.monotonic() - begun)


def write_out(
    house: Store,
    order: Order,
    aside: Path,
    *,
    write: Writer,
    form: str,
    step: str,
    inputs: Iterable[Item],
    checks: Iterable[Check] = (),
) -> Exported:
    """Write a data set into a folder, with terms, manifest and receipts; what lies there already is sealed with it.

    Args:
        house: Whose key signs.
        order: What is asked for.
        aside: The folder.
        write, form: How it is written, and what that is called.
        step: "export" or "publish".
        inputs: What the receipt says that it was made from, beside what the sources grant.
        checks: What was looked at.

    Raises:
        InputError, FileError, SealError: As in export_dataset.
    """
    dataset, began = order.dataset, time.monotonic()
    written = write(order, aside)
    write_terms(aside, order)
    write_manifest(aside, order, written, form=form, receipt=_made(house, order).receipt)
    names = names_in(aside)
    receipt = seal(
        house, step, inputs=(*inputs, *(house.register.get(grant.id).item for grant in order.grants)),
        outputs=tuple(Item(name=f"file:{one}", digest=sha256_of(aside / one)) for one in names),
        checks=checks, facts={"form": form, "terms": terms_of(order)},
    )  # fmt: skip
    house.receipts.export(receipt, aside)
    return Exported(
        step=step, name=dataset.name, dataset=order.id, form=form, out=aside, cases=len(written.cases),
        files=len(names), terms=terms_of(order), notes=(*written.notes, *_prepared(dataset)), receipt=receipt,
        seconds=time.monotonic() - began,
    )  # fmt: skip


def _made(house: Store, order: Order) -> Item:
    return Item(name=f"dataset:{order.dataset.name}", digest=order.id, receipt=house.receipts.maker(order.id) or "")


def _prepared(dataset: Dataset) -> Iterator[str]:
    """Yield what must be known of volumes that have gone through steps, which no form can say."""
    for role, lines in dataset.steps.items():
        steps = ", ".join(line["step"] for line in lines)
        yield (
            f"The volumes {role!r} were prepared by {steps}; a model that learns from this folder will not know that, "
            "and must be given images prepared alike."
        )


def require_new(out: Path) -> Path:
    """Return a folder's path where nothing is there yet.

    Raises:
        FileError: Something is.
    """
    if Path(out).exists():
        raise FileError(f"{out} exists, and an export does not write over anything. Name a new folder.")
    return Path(out)


def writer_of(form: str) -> Writer:
    """Return how a form is written.

    Raises:
        LayoutError: There is no such form.
    """
    try:
        return cast("Writer", find(form, table=WRITERS, group="isocenter.writers"))
    except NotFoundError as error:
        raise LayoutError(f"There is no form {form!r} to export to. {did_you_mean(form, sorted(WRITERS))}") from error
