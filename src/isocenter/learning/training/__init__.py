"""Training: what a data set looks like, what follows from it, and the run that obeys."""

from isocenter.learning.training.fingerprint import Fingerprint, fingerprint
from isocenter.learning.training.fit import fit
from isocenter.learning.training.fitted import Fitted
from isocenter.learning.training.material import Cases
from isocenter.learning.training.plan import Machine, decide
from isocenter.learning.training.progress import Progress

__all__ = ["Cases", "Fingerprint", "Fitted", "Machine", "Progress", "decide", "fingerprint", "fit"]
