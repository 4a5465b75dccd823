"""The same bits whatever the number of cores: sums depend on how many threads share them."""

from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk

_THREADS = 4


@contextmanager
def steady_threads() -> Iterator[None]:
    """Let SimpleITK share its sums among four threads, however many cores there are, and put it back afterwards."""
    usual = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(_THREADS)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(usual)
