"""Keys, and the seal that they put on a step's statement."""

from isocenter.security.keys import Keys, PublicKey
from isocenter.security.seal import read_envelope, seal_statement

__all__ = ["Keys", "PublicKey", "read_envelope", "seal_statement"]
