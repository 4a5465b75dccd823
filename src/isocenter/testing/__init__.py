"""What a stranger's tests may use: bodies of known volume, the DICOM series they leave, and checks of plug-ins."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isocenter.testing.networks import check_network

__all__ = ["check_network"]


def __getattr__(name: str) -> object:
    """Load a check when it is asked for: phantoms need no torch."""
    if name == "check_network":
        from isocenter.testing.networks import check_network

        return check_network
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
