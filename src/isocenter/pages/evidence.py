"""A de-identification as a page that an ethics board can read: what was done, what leaves, what that proves."""

from dataclasses import dataclass
from pathlib import Path

from isocenter.pages.html import render, save, uri
from isocenter.pages.words import say


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRow:
    """One row of the second look: what was looked at, and how many of them may still have something, as a share."""

    what: str
    found: int
    of: int
    share: float

    @property
    def most(self) -> str:
        """The share in per cent, with two digits that count."""
        return f"{100 * self.share:.2g} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePage:
    """What the page tells; every word of it names nobody.

    Args:
        run, project, at, edition: What was done when, by which table.
        options: The profile and its options, in the words of phrases "deid.option.…".
        is_proved: A second look was taken at everything that leaves.
        released, patients, review, left_out: Counts.
        actions: Letter of the table to how many elements.
        frames, blanked: Frames looked at, and files in which something was blanked.
        faces: Frames from which a face was removed; None where that was not asked for.
        kept: Attribute to the reason why a site keeps it; removed, replaced: what it treats beyond the profile.
        columns: Column of tables to the reason why it leaves.
        bounds: Of the second look.
        reasons: Why files were kept back, and how many.
        sheet: A PNG of frames that leave; empty where there are none.
        shown: How many frames it shows.
        limits: Keys of phrases.
    """

    run: str
    project: str
    at: str
    edition: str
    options: tuple[str, ...]
    is_proved: bool
    released: int
    patients: int
    review: int
    left_out: int
    actions: tuple[tuple[str, int], ...]
    frames: int = 0
    blanked: int = 0
    faces: int | None = None
    kept: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    bounds: tuple[BoundRow, ...] = ()
    reasons: tuple[tuple[str, int], ...] = ()
    sheet: bytes = b""
    shown: int = 0
    limits: tuple[str, ...] = ()


def write_evidence(page: EvidencePage, path: Path, *, lang: str) -> None:
    """Write the page as one HTML file; it appears whole or not at all.

    Raises:
        NotFoundError: No such language.
        StoreError: The folder cannot be written to, or the disk is full.
    """
    values = {
        "page": page,
        "sheet": uri(page.sheet) if page.sheet else "",
        "title": f"{say('deid.title', lang=lang)} {page.project}",
    }
    save(render(Path(__file__).with_name("evidence.html"), values, lang=lang), path)
