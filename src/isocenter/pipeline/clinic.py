"""A prediction becomes a report that a person can read and check."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocenter.case import Dataset
from isocenter.clinic.reporting import compose_report, summarise, write_html, write_pdf
from isocenter.errors import FileError, NotFoundError, RecipeError, SealError
from isocenter.image import read_nifti_mask
from isocenter.models.model import read_model
from isocenter.pages import LANGUAGES
from isocenter.pipeline.ground import Place, now, opened, seal
from isocenter.pipeline.outcome import Reported
from isocenter.pipeline.predictions import MASK, PREDICTION, read_prediction
from isocenter.plugins import did_you_mean
from isocenter.result import Item, Prediction, Score
from isocenter.result.report import Evaluated, ModelSummary, Outcome, Report
from isocenter.store import Store
from isocenter.store.evidence import sha256_of

WRITERS = {"html": write_html, "pdf": write_pdf}


def report(
    prediction: Path, *, formats: tuple[str, ...] = ("html",), lang: tuple[str, ...] = ("en",), store: Place = None
) -> Reported:
    """Write the report of a prediction beside it, one file a format and language, and seal it.

    Args:
        prediction: The folder that `predict` wrote.
        formats: Of "html" and "pdf".
        lang: Of "zh" and "en".
        store: The one that made the prediction; it keeps the image, and how the model did on its test set.

    Raises:
        FileError: The folder holds no prediction, or the store does not keep its image.
        SealError: A file of it was changed, or another store made it.
        RecipeError: An unknown format or language.
        MissingExtraError: PDF is asked for, and the extra "report" is not installed.
    """
    folder = Path(prediction)
    _require(formats, tuple(WRITERS), what="format")
    _require(lang, tuple(LANGUAGES), what="language")
    said = read_prediction(folder)
    with opened(store) as house:
        behind = sha256_of(folder / PREDICTION)
        made = house.receipts.maker(behind)
        if made is None:
            raise SealError(
                f"No receipt of this store speaks of {PREDICTION} as it is: it was changed after it was sealed, or "
                "another store made it. Name that store with --store, or predict again."
            )
        # prediction.json cannot name the receipt that seals it, and the volumes stand on that one first of all
        whole = replace(said, receipts=(made, *said.receipts), files={**said.files, PREDICTION: behind})
        composed = _composed(house, whole, folder)
        with _pages(composed, folder, formats=formats, lang=lang) as pages:
            receipt = seal(
                house, "report",
                inputs=(
                    Item(name=f"file:{PREDICTION}", digest=behind, receipt=made),
                    *_evaluations(house, composed.evaluated),
                ),
                outputs=tuple(Item(name=f"file:{path.name}", digest=sha256_of(aside)) for path, aside in pages.items()),
                facts={"formats": list(formats), "lang": list(lang)},
            )  # fmt: skip
            house.receipts.export(receipt, folder)
            for path, aside in pages.items():
                aside.replace(path)
    return Reported(files=tuple(pages), receipt=receipt)


@contextmanager
def _pages(
    report: Report, folder: Path, *, formats: tuple[str, ...], lang: tuple[str, ...]
) -> Iterator[dict[Path, Path]]:
    """Write every file that was asked for under a name aside and give final name to that one.

    Whatever still bears the name aside when the block ends is removed: nothing is left half-done.
    """
    pages = {folder / f"report.{one}.{form}": (form, one) for form in formats for one in lang}
    asides = {path: folder / f".{path.name}.part" for path in pages}
    try:
        for path, (form, one) in pages.items():
            WRITERS[form](report, asides[path], lang=one)
        yield asides
    finally:
        for aside in asides.values():
            aside.unlink(missing_ok=True)


def _require(asked: tuple[str, ...], known: tuple[str, ...], *, what: str) -> None:
    for one in asked:
        if one not in known:
            raise RecipeError(f"There is no {what} {one!r}. {did_you_mean(one, list(known))}")


def _composed(house: Store, said: Prediction, folder: Path) -> Report:
    try:
        volume = house.get_volume(str(said.input["digest"]))
    except (NotFoundError, KeyError) as error:
        raise FileError(
            "The store does not keep the image of this prediction, so its pictures cannot be drawn. Name the store "
            "that made the prediction with --store, or predict again."
        ) from error
    mask = None if said.table is None else read_nifti_mask(folder / MASK, table=said.table)
    return compose_report(
        said, volume=volume, mask=mask, model=_summary(house, said), evaluated=_evaluated(house, said), at=now()
    )


def _summary(house: Store, said: Prediction) -> ModelSummary:
    """Return what is known of the model; of one that came as a folder and is not kept here, its ids."""
    try:
        model = read_model(house.models.folder(said.model))
    except NotFoundError:
        return ModelSummary(id=said.model, dataset=said.dataset)
    learnt = _dataset(house, said.dataset)
    return summarise(
        model,
        dataset=learnt,
        receipt=house.receipts.maker(model.id) or "",
        dataset_receipt=house.receipts.maker(said.dataset) or "",
    )


def _dataset(house: Store, id_: str) -> Dataset | None:
    try:
        return house.datasets.get(id_)
    except NotFoundError:
        return None


def _evaluated(house: Store, said: Prediction) -> Evaluated | None:
    """Return the newest evaluation of the model, one on its own test side before one on other data.

    One on cases that the model learnt from, or where that is not known, is not quoted: it would flatter the model.
    """
    fair = [one for one in house.evaluations.of(said.model) if one[1]["learnt_from"] == 0]
    found = sorted(fair, key=lambda one: one[1]["dataset"] != said.dataset)
    if not found:
        return None
    digest, document = found[0]
    scored = document["evaluation"]
    return Evaluated(
        dataset=document["dataset"],
        dataset_name=document["name"],
        cohort=document["side"] if document["dataset"] == said.dataset else "all",
        scores=tuple(Score.from_json(score) for score in scored["scores"]),
        tolerance_mm=scored["tolerance_mm"],
        subgroups={name: tuple(map(Score.from_json, scores)) for name, scores in scored["groups"].items()},
        outcomes=tuple(_outcome(row) for row in scored["rows"] if "target" in row),
        notes=tuple(scored.get("notes", ())),
        receipt=house.receipts.maker(digest) or "",
    )


def _outcome(row: Mapping[str, Any]) -> Outcome:
    """Return what was answered of one case of an evaluation, and what was true."""
    return Outcome(**{name: row[name] for name in ("patient", "target", "truth", "value", "probabilities")})


def _evaluations(house: Store, evaluated: Evaluated | None) -> tuple[Item, ...]:
    """Return the evaluation that the report quotes, as its receipt names it."""
    if evaluated is None or not evaluated.receipt:
        return ()
    made = house.receipts.get(evaluated.receipt).outputs[0]
    return (Item(name=made.name, digest=made.digest, receipt=evaluated.receipt),)
