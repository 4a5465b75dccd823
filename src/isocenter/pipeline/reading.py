"""One study is read by one model: what it found, proved, sealed, and asked to be reviewed."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from isocenter.dicom.seg import write_seg
from isocenter.errors import GridError, SeriesError
from isocenter.image import Mask, Volume, write_nifti
from isocenter.intake.opening import Opened, open_input
from isocenter.learning.inference.fitting import Reading
from isocenter.learning.inference.predict import volume_scores
from isocenter.learning.inference.reader import open_reader
from isocenter.models.model import MANIFEST, Model, read_model
from isocenter.pages import say
from isocenter.pipeline.ground import Place, Watch, model_item, opened, restoration_facts, seal, told
from isocenter.pipeline.outcome import Predicted
from isocenter.pipeline.predictions import MASK, SEG, whole_folder, write_prediction
from isocenter.pipeline.public import known
from isocenter.result import Check, Item, Prediction, Score, Verdict
from isocenter.store import Store
from isocenter.store.evidence import sha256_of

UNCHECKED = say("reason.unchecked", lang="en")


def predict(
    model: str | Path,
    input: Path,  # noqa: A002 - its name on every door
    *,
    out: Path,
    accept: tuple[str, ...] = (),
    series: int | None = None,
    device: str = "cpu",
    store: Place = None,
    progress: Watch | None = None,
) -> Predicted:
    """Read one study with a model and write prediction.json; of outlines mask.nii.gz and, from DICOM, mask.seg.dcm.

    What a model answers for the whole image stands in prediction.json alone. The SEG bears its source's patient and
    study, as DICOM demands, and is the only file that bears identity. It is decoded again and compared in mm before it
    gets its name.

    Args:
        model: Id, its first digits, "latest", or a model's folder.
        input: DICOM folder, file or zip; a NIfTI file; or a folder with one NIfTI file a role.
        out: Folder to write; it appears whole or not at all, and replaces an earlier prediction.
        accept: Words that take a DICOM series in spite of its verdict.
        series: Which series, as `scan` numbers them.
        device: Where the network computes, as torch names it: "cpu", "cuda", "cuda:1", "mps".
        store: Where the model and the keys are kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such model.
        SealError: The model was changed.
        PlanError: There is no such device.
        FileError, SeriesError, InputError: The input cannot be used, or is not what the model reads.
        ProofError: The SEG as written says something else than the mask; nothing is left.
    """
    marks = {"start": time.monotonic()}
    out, folder = Path(out), Path(model)
    is_folder = (folder / MANIFEST).is_file()
    with opened(store, create_new=is_folder) as house:
        kept = read_model(folder if is_folder else house.models.folder(str(model)))
        reader = open_reader(kept, device=device, memory=house.speeds)
        found = open_input(
            Path(input),
            channels=reader.model.plan.channels,
            accept=accept,
            series=series,
            progress=told(progress, "scan"),
        )
        marks["read"] = time.monotonic()
        reading = reader.read(found.volumes, progress=told(progress, "read"))
        with whole_folder(out) as aside:
            marks["found"] = time.monotonic()
            checks, unsaid = _write_masks(reading.mask, found, reader.model, aside) if reading.mask else ((), ())
            marks["written"] = time.monotonic()
            prediction = Prediction(
                case=f"case-{house.keys.pseudonym(_name(found))}", model=reader.model.id,
                dataset=reader.model.dataset, table=reader.model.description.table,
                volumes=_sizes(reading, found, reader.model), answers=reading.answers,
                verdict=Verdict(decision="review", reasons=(UNCHECKED, *unsaid)),
                plan=reader.model.plan.to_document(), seconds=_seconds(marks, reading.seconds),
                runtime={} if reading.choice is None else reading.choice.brief(),
                input=_input(house, found, reading),
                files={path.name: sha256_of(path) for path in sorted(aside.iterdir())},
                receipts=_behind(house, reader.model),
            )  # fmt: skip
            write_prediction(prediction, aside)
            facts = {"accept": list(accept), "input": found.kind, **restoration_facts(kept.plan)}
            facts |= {"said": _told(reading)} if reading.said else {}
            _seal(house, reader.model, found, aside, checks=checks, facts=facts)
    return Predicted(prediction=prediction, out=out)


def _write_masks(mask: Mask, found: Opened, model: Model, folder: Path) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Write the mask in every form that the input allows; return what the proof looked at, and what was not written.

    Raises:
        ProofError: The SEG as written says something else than the mask.
    """
    write_nifti(mask, folder / MASK, has_size=_first(found).has_size)
    if found.kind != "dicom":
        return (), ()
    name, version = f"isocenter model {model.id[:12]}", model.description.version or "unknown"
    try:
        paths = found.series[0].paths
        return write_seg(mask, sources=paths, path=folder / SEG, algorithm=name, version=version), ()
    except (GridError, SeriesError) as error:
        # a volume made of tiles, or of a series accepted in spite of a flaw, lies between the pictures as stored; a
        # picture may have no place at all
        return (), (say("reason.no_seg", lang="en", why=error),)


def _first(found: Opened) -> Volume:
    return next(iter(found.volumes.values()))


def _sizes(reading: Reading, found: Opened, model: Model) -> tuple[Score, ...]:
    if reading.mask is None:
        return ()
    return volume_scores(reading.mask, model, voxel_size=_first(found).voxel_size)


def _name(found: Opened) -> str:
    """Return what the case's pseudonym is made from: the series' UIDs, or the bytes of the files."""
    if found.series:
        return " ".join(f"{one.series_uid} {one.part}" for one in found.series)
    return " ".join(found.files.values())


def _input(house: Store, found: Opened, reading: Reading) -> dict[str, object]:
    first = _first(found)
    said = {"restoration": _told(reading)} if reading.said else {}
    return said | {
        "kind": found.kind,
        "modality": first.modality,
        "is_planar": first.is_planar,
        "colours": first.channels,
        "roles": list(found.volumes),
        "shape": list(first.shape),
        "spacing_mm": [known(mm) for mm in first.spacing],
        "orientation": first.affine.orientation,
        "verdict": found.series[0].verdict if found.series else "regular",
        "files": len(found.files),
        "digest": house.put_volume(first),
    }


def _told(reading: Reading) -> dict[str, list[dict[str, object]]]:
    """Return what each step before everything else said of the case, by role."""
    return {role: [{"step": name, **told} for name, told in said] for role, said in reading.said.items()}


def _seconds(marks: Mapping[str, float], stages: Mapping[str, float]) -> dict[str, float]:
    total = time.monotonic() - marks["start"]
    return {
        "read": marks["read"] - marks["start"],
        **stages,
        "write": marks["written"] - marks["found"],
        "total": total,
    }


def _behind(house: Store, model: Model) -> tuple[str, ...]:
    made = house.receipts.maker(model.id)
    return house.receipts.chain(made) if made else ()


def _seal(
    house: Store, model: Model, found: Opened, folder: Path, *, checks: Iterable[Check], facts: Mapping[str, object]
) -> str:
    """Seal the prediction and put the chain behind it, with the key that checks it, into its folder."""
    outputs = tuple(Item(name=f"file:{path.name}", digest=sha256_of(path)) for path in sorted(folder.iterdir()))
    digest = seal(
        house, "predict", inputs=(model_item(house, model), *_sources(house, found)), outputs=outputs, checks=checks,
        facts=facts,
    )  # fmt: skip
    house.receipts.export(digest, folder)
    return digest


def _sources(house: Store, found: Opened) -> tuple[Item, ...]:
    """Return the files that were read, by the keyed pseudonym of their UID or name: the receipt bears no identity."""
    uids = {instance.path: instance.sop_uid for one in found.series for instance in one.instances}
    kind = "instance" if found.kind == "dicom" else "source"
    return tuple(
        Item(name=f"{kind}:{house.keys.pseudonym(uids.get(path) or ascii(path.name))}", digest=digest)
        for path, digest in found.files.items()
    )
