"""Commands that speak with other machines of a hospital."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.door import Outcome
from isocenter.cli.options import Json, Store
from isocenter.cli.progress import watching


def fetch(
    pacs: Annotated[str, typer.Argument(help="dicom://TITLE@host:port, dicoms://…, or https://host/dicom-web.")],
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="A new folder, or one fetched into before.")] = None,
    *,
    study: Annotated[str, typer.Option("--study", help="A study's UID, @FILE with one a line, or - for stdin.")] = "",
    accession: Annotated[str, typer.Option("--accession", help="An accession number, @FILE, or -.")] = "",
    patient: Annotated[str, typer.Option("--patient", help="@FILE with a patient's number a line, or -.")] = "",
    modality: Annotated[str, typer.Option("--modality", help="Series of these alone: CT,MR.")] = "",
    from_: Annotated[str, typer.Option("--from", help="First day of the study, such as 2026-01-31.")] = "",
    to: Annotated[str, typer.Option("--to", help="Last day of the study.")] = "",
    listed: Annotated[
        Path | None,
        typer.Option("--list", help="A table: study, accession, patient, modality, from, to, day; - for stdin."),
    ] = None,
    how: Annotated[str, typer.Option("--how", help="get, move or web; by default what the PACS accepts.")] = "auto",
    listen: Annotated[str, typer.Option("--listen", help="For move: the port it sends to, as 0.0.0.0:11112.")] = "",
    aet: Annotated[str, typer.Option("--aet", help="Our AE title.")] = "ISOCENTER",
    ca: Annotated[Path | None, typer.Option("--ca", help="PEM file with the certificates that are trusted.")] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="PEM file with our certificate and its key.")
    ] = None,
    login: Annotated[
        Path | None,
        typer.Option("--login", envvar="ISOCENTER_PACS_LOGIN", help="File: user:password or Bearer TOKEN."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what there is; fetch nothing.")] = False,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Fetch studies from a PACS into a folder for `deid`.

    It can be stopped at any time; the same command fetches what lacks, and nothing twice.

    Example: isocenter fetch dicom://ARCHIVE@10.1.2.3:104 fetched/ --list cohort.csv --modality CT

    Example: isocenter fetch https://pacs.example.org/dicom-web --patient @numbers.txt --dry-run
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.fetch(
            pacs, out, study=study, accession=accession, patient=patient, modality=modality, from_=from_, to=to,
            listed=listed, how=how, listen=listen, aet=aet, ca=ca, certificate=certificate, login=login,
            dry_run=dry_run, store=store, progress=watch,
        )  # fmt: skip
