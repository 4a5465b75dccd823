"""What every room that shows something shares: words, pages, pictures, plots."""

from isocenter.pages.curves import Curve
from isocenter.pages.run import RunPage, write_run
from isocenter.pages.words import LANGUAGES, reword, say

__all__ = ["LANGUAGES", "Curve", "RunPage", "reword", "say", "write_run"]
