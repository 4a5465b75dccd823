"""isocenter: medical-imaging AI whose results can be checked, from the archive to a signed report."""

__version__ = "0.1.0"
