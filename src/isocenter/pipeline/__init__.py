"""The steps, in the order of the way: each reads the store, calls rooms, writes the store, seals a receipt.

A step is loaded when it is first asked for, so that `isocenter info` does not load torch.
"""

from typing import TYPE_CHECKING, Any

from isocenter.pipeline.steps import STEPS
from isocenter.plugins import find

if TYPE_CHECKING:
    from isocenter.pipeline.about import doctor, info
    from isocenter.pipeline.adjudicating import adjudicate
    from isocenter.pipeline.agreeing import make_consensus, measure_agreement
    from isocenter.pipeline.amounts import amount
    from isocenter.pipeline.benching import bench
    from isocenter.pipeline.clinic import report
    from isocenter.pipeline.cohorts import cohort
    from isocenter.pipeline.comparing import diff_runs
    from isocenter.pipeline.evaluating import evaluate
    from isocenter.pipeline.exporting import export_dataset
    from isocenter.pipeline.exporting_labels import export_labels
    from isocenter.pipeline.fetching import fetch
    from isocenter.pipeline.freezing import freeze_version
    from isocenter.pipeline.importing_labels import import_labels
    from isocenter.pipeline.intake import check, ingest
    from isocenter.pipeline.keeping import init, list_kept, remove_kept, show_kept, verify
    from isocenter.pipeline.learning import plan, train
    from isocenter.pipeline.preparing import prepare
    from isocenter.pipeline.publishing import publish
    from isocenter.pipeline.reading import predict
    from isocenter.pipeline.reading_cases import read_cases
    from isocenter.pipeline.registering import register
    from isocenter.pipeline.releasing import deid
    from isocenter.pipeline.scanning import convert, scan
    from isocenter.pipeline.sourcing import add_source, list_sources, show_source
    from isocenter.pipeline.splitting import split
    from isocenter.pipeline.vaulting import erase_person, find_person, open_vault, rotate_vault
    from isocenter.pipeline.versioning import diff_versions, list_versions, pin_version

__all__ = [
    "add_source", "adjudicate", "amount", "bench", "check", "cohort", "convert", "deid", "diff_runs",
    "diff_versions", "doctor", "erase_person", "evaluate", "export_dataset", "export_labels", "fetch",
    "find_person", "freeze_version", "import_labels", "info", "ingest", "init", "list_kept", "list_sources",
    "list_versions", "make_consensus", "measure_agreement", "open_vault", "pin_version", "plan", "predict",
    "prepare", "publish", "read_cases", "register", "remove_kept", "report", "rotate_vault", "scan", "show_kept",
    "show_source", "split", "train", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in STEPS:
        raise AttributeError(f"isocenter.pipeline has no step {name!r}")
    return find(name, table=STEPS, group="isocenter.steps")
