"""Where data comes from, and on what terms."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Origin and terms of a data set.

    Args:
        name: Of the collection, such as "MSD Task04 Hippocampus".
        licence: SPDX identifier or the words of the terms; empty where nobody said.
        origin: Who made it and where it is described.
        layout: How the folder was laid out when it was taken in, such as "msd".
    """

    name: str = ""
    licence: str = ""
    origin: str = ""
    layout: str = ""
