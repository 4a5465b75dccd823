"""The command line as a whole: every command in the order of the way, with what shows its outcome."""

import typer

from isocenter.cli import data, hospital, keeping, learning, privacy, reading, sources, versions
from isocenter.cli.door import door
from isocenter.cli.labels import label_app
from isocenter.cli.show import data as of_data
from isocenter.cli.show import hospital as of_hospital
from isocenter.cli.show import keeping as of_keeping
from isocenter.cli.show import learning as of_learning
from isocenter.cli.show import privacy as of_privacy
from isocenter.cli.show import reading as of_reading
from isocenter.cli.show import versions as of_versions

EXIT_CODES = (
    "Exit codes: 0 done · 2 wrong words · 3 input that cannot be used · 4 not found · 5 a check does not hold · "
    "6 the store cannot be used · 7 a plan or run that cannot be · 8 an extra is missing · "
    "9 another machine refuses · 130 stopped by Ctrl-C."
)

app = typer.Typer(
    name="isocenter",
    help="From a folder of images to a model, a prediction and a report, each with a receipt that can be verified.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for _command, _show in (
    (keeping.init, of_keeping.init),
    (data.scan, of_data.scan),
    (data.convert, of_data.convert),
    (hospital.fetch, of_hospital.fetch),
    (privacy.deid, of_privacy.deid),
    (data.ingest, of_data.ingest),
    (data.check, of_data.check),
    (data.cohort, of_data.cohort),
    (versions.split, of_versions.split),
    (data.prepare, of_data.prepare),
    (data.register, of_data.register),
    (sources.publish, of_data.publish),
    (learning.plan, of_learning.plan),
    (learning.train, of_learning.train),
    (learning.evaluate, of_learning.evaluate),
    (learning.amount, of_learning.amount),
    (reading.predict, of_reading.predict),
    (reading.bench, of_reading.bench),
    (reading.report, of_reading.report),
    (keeping.verify, of_keeping.verify),
    (keeping.info, of_keeping.info),
    (keeping.doctor, of_keeping.doctor),
):
    app.command(_command.__name__)(door(_command, _show))
_shelves = {kind: keeping.shelf(kind) for kind in ("runs", "models", "datasets")}
_shelves["runs"].command("diff")(door(learning.diff_runs, of_learning.diff_runs))
_shelves["datasets"].command("export")(door(data.export_dataset, of_data.export_dataset))
for _name, _group in (
    *_shelves.items(),
    ("version", versions.version_app),
    ("label", label_app),
    ("vault", privacy.vault_app),
    ("source", sources.source_app),
):
    app.add_typer(_group, name=_name)
