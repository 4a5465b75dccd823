"""Objects that speak of images: opened whole, refused where they are something else."""

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom import config
from pydicom.dataset import Dataset

from isocenter.dicom.files.slow import BROKEN, read_dataset
from isocenter.errors import FileError, InputError


def read_object(path: Path, *, classes: Collection[str], name: str) -> Dataset:
    """Return a file of one of some object classes, pixels included.

    Args:
        path: The file.
        classes: SOP class UIDs.
        name: What they are called, for the message: "DICOM segmentation".

    Raises:
        FileError: Missing, damaged, or something else.
    """
    if not path.is_file():
        raise FileError("there is no such file.")
    dataset = read_dataset(path, with_pixels=True)
    if str(dataset.get("SOPClassUID", "")) not in classes:
        raise FileError(f"this is no {name}; its modality is {dataset.get('Modality') or 'not said'}.")
    return dataset


@contextmanager
def told(path: Path, name: str) -> Iterator[None]:
    """Turn what damaged bytes raise into words; a value out of the file is never quoted, it may be a patient's.

    Raises:
        FileError: The object does not hold what it must.
        InputError: As raised inside, with the file's name before it.
    """
    try:
        with unheard():
            yield
    except InputError as error:
        raise type(error)(f"{path.name}: {error}") from error
    except BROKEN as error:
        raise FileError(
            f"{path.name}: damaged, or without what a {name} must hold ({type(error).__name__}). Export it again."
        ) from error


@contextmanager
def unheard() -> Iterator[None]:
    """Keep remarks on odd values out of warnings and logs: they quote the values, and those may be a patient's."""
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        yield
