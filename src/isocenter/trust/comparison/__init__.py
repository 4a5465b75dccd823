"""What strategies and cases are worth: the same patients scored after one way of learning and after another."""

from isocenter.trust.comparison.curve import Gain, LearningCurve, Point, learning_curve

__all__ = ["Gain", "LearningCurve", "Point", "learning_curve"]
