"""The way of a study, step by step: the table that every door reads."""

STEPS = {
    "init": "isocenter.pipeline.keeping:init",
    "scan": "isocenter.pipeline.scanning:scan",
    "convert": "isocenter.pipeline.scanning:convert",
    "ingest": "isocenter.pipeline.intake:ingest",
    "check": "isocenter.pipeline.intake:check",
    "export_dataset": "isocenter.pipeline.exporting:export_dataset",
    "plan": "isocenter.pipeline.learning:plan",
    "train": "isocenter.pipeline.learning:train",
    "evaluate": "isocenter.pipeline.evaluating:evaluate",
    "predict": "isocenter.pipeline.reading:predict",
    "bench": "isocenter.pipeline.benching:bench",
    "diff_runs": "isocenter.pipeline.comparing:diff_runs",
    "report": "isocenter.pipeline.clinic:report",
    "verify": "isocenter.pipeline.keeping:verify",
    "list_kept": "isocenter.pipeline.keeping:list_kept",
    "show_kept": "isocenter.pipeline.keeping:show_kept",
    "remove_kept": "isocenter.pipeline.keeping:remove_kept",
    "info": "isocenter.pipeline.about:info",
    "doctor": "isocenter.pipeline.about:doctor",
}
