"""What is wrong with cases and with a data set, before anything is learnt from them."""

from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.quality.check import EMPTY_MASKS, check_case, check_dataset, check_together
from isocenter.intake.quality.cohort import check_answers

__all__ = ["EMPTY_MASKS", "Issue", "check_answers", "check_case", "check_dataset", "check_together", "issue_of"]
