"""What comes out: predictions, scores, reports and the receipts that say how they came about."""

from isocenter.result.answer import Answer
from isocenter.result.prediction import Prediction, Verdict
from isocenter.result.receipt import Check, Item, Receipt, canonical
from isocenter.result.score import Score

__all__ = ["Answer", "Check", "Item", "Prediction", "Receipt", "Score", "Verdict", "canonical"]
