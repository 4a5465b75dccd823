"""What can be wrong with the files of a BIDS data set, in words."""

from collections.abc import Sequence
from pathlib import Path

from isocenter.errors import LayoutError
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.bids.drawn import Drawn
from isocenter.intake.layouts.folder import name_in


def passed_over(what: str, count: int) -> Issue:
    """Return the issue of images that are no cases, counted by what they are."""
    return Issue(
        check="layout", where="the folder", figure=f"{count} image file(s) left out, {what}",
        limit="images in anat, pet or ct; outlines as dseg or mask in derivatives",
        mend="Nothing, unless they should be cases.", severity="warn",
    )  # fmt: skip


def misnamed(path: Path, folder: Path) -> Issue:
    """Return the issue of a file whose name says another place than it lies in."""
    return Issue(
        check="layout", where=name_in(path, folder), figure="an image whose name and place do not agree",
        limit="sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz", mend="Name it after its folders, or move it.",
    )  # fmt: skip


def series(path: Path, folder: Path) -> Issue:
    """Return the issue of a file that holds several volumes."""
    return Issue(
        check="voxels", where=name_in(path, folder), figure="several volumes in one file; it was left out",
        limit="one volume a file", mend="Split it into one file each where they should be learnt from.",
        severity="warn",
    )  # fmt: skip


def unread(path: Path, folder: Path, error: LayoutError) -> Issue:
    """Return the issue of outlines whose table cannot be used."""
    where = name_in(path, folder)
    return Issue(
        check="label values", where=where, figure=str(error).removeprefix(f"{where}: ").rstrip("."),
        limit="a table with 'index' and 'name'", mend="Write the table, or take the file out.",
    )  # fmt: skip


def foreign(one: Drawn, folder: Path) -> Issue:
    """Return the issue of outlines that lie on no image of their session."""
    return Issue(
        check="grid", where=name_in(one.path, folder), figure=f"outlines in the space {one.space} alone",
        limit="outlines on the grid of an image of their session",
        mend="Resample them onto the image and name them so (space-orig), or take them out of the folder.",
    )  # fmt: skip


def lonely(one: Drawn, folder: Path, *, case: str) -> Issue:
    """Return the issue of outlines whose image is not here."""
    return Issue(
        check="pairing", where=name_in(one.path, folder), figure="outlines without an image",
        limit="an image and its outlines", mend=f"Put the image of {case} beside the others, or take the outlines out.",
    )  # fmt: skip


def unlabelled(without: Sequence[str]) -> Issue:
    """Return the issue of sessions that no reader outlined, though others are."""
    return Issue(
        check="pairing", where=without[0], figure=f"{len(without)} session(s) that nobody outlined",
        limit="outlines of every session", mend="Nothing where they are meant to be without.", severity="warn",
    )  # fmt: skip
