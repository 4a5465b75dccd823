"""Words that several commands share, each with its help."""

from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[
    str | None,
    typer.Option("--store", envvar="ISOCENTER_STORE", help="The store's folder. Default: ./isocenter-store"),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")]
Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", help="Take a series in spite of: tilt, gaps, duplicates, uneven, localiser, truncated."),
]
AcceptCases = Annotated[
    list[str] | None,
    typer.Option("--accept", help="As of a series, see predict; empty-masks: an empty mask says nothing is there."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--columns", help="OURS=THEIRS, comma between: what columns of a table of pictures are called."),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Change the recipe: section.key=value. May be given several times.")
]
Device = Annotated[
    str, typer.Option("--device", help="Where the network computes, as torch names it: cpu, cuda, cuda:1, mps.")
]
RecipePath = Annotated[
    Path | None, typer.Argument(help="A recipe in TOML. Without one, everything is left to the plan.")
]
DataName = Annotated[str, typer.Option("--data", help="Name, pin (NAME@WORD) or id of a data set.")]
