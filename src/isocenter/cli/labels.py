"""Commands of readers' answers: import, read, agree, consensus, adjudicate, export."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isocenter.cli.door import Outcome, door
from isocenter.cli.options import Json, Store
from isocenter.cli.progress import watching
from isocenter.cli.show import labels as show

if TYPE_CHECKING:
    from isocenter.intake.labelling.interview import Question

Name = Annotated[str, typer.Argument(help="Name or id of a data set.")]
Readers = Annotated[
    list[str] | None, typer.Option("--reader", help="Whose answers count; may be given several times. Default: all.")
]
SchemaPath = Annotated[Path | None, typer.Option("--schema", help="What is asked, in TOML. Default: the version's.")]


def import_labels(
    name: Name,
    path: Annotated[Path, typer.Argument(help="Masks, DICOM SEG, RTSTRUCT, SR, COCO, VOC, CSV or LIDC XML.")],
    *,
    as_: Annotated[
        str | None, typer.Option("--as", help="csv, nifti, png, seg, rtstruct, sr, coco, voc, lidc. Default: seen.")
    ] = None,
    reader: Annotated[str, typer.Option("--reader", help="Who said it, in a word such as reader-1.")] = "",
    schema: SchemaPath = None,
    blinded: Annotated[
        bool | None, typer.Option("--blinded/--unblinded", help="Whether others' answers were hidden.")
    ] = None,
    over: Annotated[bool, typer.Option("--over", help="Replace what the reader said before.")] = False,
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Leave bad answers out, refuse nothing.")] = False,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Take readers' answers in, as annotations of the next version.

    Example: isocenter label import livers masks/ --reader reader-1

    Example: isocenter label import chests answers.csv --schema nodules.toml
    """
    from isocenter import pipeline

    return pipeline.import_labels(
        name, path, as_=as_, reader=reader, schema=schema, blinded=blinded, over=over, leave_out=leave_out, store=store
    )


def read_cases(
    name: Name,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder that shows the cases that are read.")],
    *,
    reader: Annotated[str, typer.Option("--reader", help="Who reads, in a word such as reader-1.")],
    as_: Annotated[str, typer.Option("--as", help="terminal: asked case by case; files: for any viewer.")] = "terminal",
    schema: SchemaPath = None,
    most: Annotated[int, typer.Option("--most", help="Cases at the most; 0: all that are left.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of the reader's own order.")] = 0,
    back: Annotated[bool, typer.Option("--back", help="Take the answers back from a folder of files.")] = False,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Serve case after case to one reader, blindly, and keep what they say.

    Time and certainty are kept with the answers. `stop` ends a session; what was said is kept.

    Example: isocenter label read chests now/ --reader reader-1 --schema nodules.toml

    Example: isocenter label read livers for-reader-2/ --reader reader-2 --as files

    Example: isocenter label read livers for-reader-2/ --reader reader-2 --back
    """
    from isocenter import pipeline

    return pipeline.read_cases(
        name, out, reader=reader, as_=as_, schema=schema, most=most, seed=seed, back=back, ask=_ask, store=store
    )


def measure_agreement(
    name: Name,
    *,
    readers: Readers = None,
    tolerance_mm: Annotated[float, typer.Option("--tolerance-mm", help="By how much outlines may differ (NSD).")] = 1.0,
    rounds: Annotated[int, typer.Option("--rounds", help="Resamples of patients.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Of the resamples.")] = 0,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Say how far readers agree, with intervals by patient.

    Example: isocenter label agree livers --tolerance-mm 2
    """
    from isocenter import pipeline

    return pipeline.measure_agreement(
        name, readers=tuple(readers or ()), tolerance_mm=tolerance_mm, rounds=rounds, seed=seed, store=store
    )


def make_consensus(
    name: Name,
    *,
    by: Annotated[str, typer.Option("--by", help="majority, weighted or staple.")] = "staple",
    readers: Readers = None,
    weights: Annotated[str, typer.Option("--weights", help="For weighted: reader-1=2,reader-2=1, comma between.")] = "",
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Make one answer of several readers', in the next version.

    Example: isocenter label consensus livers --by staple

    Example: isocenter label consensus livers --by weighted --weights reader-1=2,reader-2=1
    """
    from isocenter import pipeline

    weighed = _weights(weights)
    with watching() as watch:
        return pipeline.make_consensus(
            name, by=by, readers=tuple(readers or ()), weights=weighed or None, store=store, progress=watch
        )


def adjudicate(
    name: Name,
    case: Annotated[str, typer.Argument(help="The case to decide; without one, the queue is shown.")] = "",
    *,
    take: Annotated[str, typer.Option("--take", help="The reader whose answer is right.")] = "",
    mask: Annotated[Path | None, typer.Option("--mask", help="A mask drawn anew, NIfTI or PNG.")] = None,
    answers: Annotated[
        list[str] | None, typer.Option("--answer", help="nodule.kind=solid; may be given several times.")
    ] = None,
    why: Annotated[str, typer.Option("--why", help="Kept with your account and the time; write no name.")] = "",
    readers: Readers = None,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Show what readers dispute, the worst first, or decide one case.

    Example: isocenter label adjudicate livers

    Example: isocenter label adjudicate livers case-7 --take reader-2 --why "reader 1 outlined the stomach"
    """
    from isocenter import pipeline

    return pipeline.adjudicate(
        name, case, take=take, mask=mask, answers=tuple(answers or ()), why=why, readers=tuple(readers or ()),
        store=store,
    )  # fmt: skip


def export_labels(
    name: Name,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder that is not there yet.")],
    *,
    as_: Annotated[str, typer.Option("--as", help="csv, nifti, coco or seg.")] = "csv",
    readers: Readers = None,
    series: Annotated[
        Path | None, typer.Option("--from", help="For seg: the folder of DICOM that the data set was taken from.")
    ] = None,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Write what readers said as files that others read.

    Example: isocenter label export chests answers/ --as csv
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.export_labels(
            name, out, as_=as_, readers=tuple(readers or ()), series=series, store=store, progress=watch
        )


def _weights(text: str) -> dict[str, float]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    try:
        return {reader.strip(): float(weight) for reader, _, weight in pairs}
    except ValueError as error:
        raise typer.BadParameter("Write reader-1=2,reader-2=1.", param_hint="--weights") from error


def _ask(question: "Question") -> str:
    """Ask in the terminal, on stderr: stdout is for the one document; the end of the input stops the session."""
    done, of = question.case
    if question.wrong:
        sys.stderr.write(f"  {question.wrong}\n")
    sys.stderr.write(f"[{done}/{of}] {question.shown}\n  {question.text} ({question.told}) ")
    sys.stderr.flush()
    return sys.stdin.readline() or "stop"


label_app = typer.Typer(
    help="What readers say: import, read, agree, consensus, adjudicate, export.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip
COMMANDS: dict[str, Callable[..., Outcome]] = {
    "import": import_labels,
    "read": read_cases,
    "agree": measure_agreement,
    "consensus": make_consensus,
    "adjudicate": adjudicate,
    "export": export_labels,
}
for _word, _command in COMMANDS.items():
    label_app.command(_word)(door(_command, getattr(show, _command.__name__)))
