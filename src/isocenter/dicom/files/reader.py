"""Any file's header: by our own walk where the file is ordinary, by pydicom where it is not."""

import os
import stat
import struct
from pathlib import Path

from isocenter.dicom.files.header import Header
from isocenter.dicom.files.slow import read_with_pydicom
from isocenter.dicom.walk import OddError, Walk
from isocenter.errors import FileError


def read_header(path: Path) -> Header:
    """Return the header of a DICOM file.

    Raises:
        FileError: It cannot be opened, is encrypted, or is no DICOM file.
    """
    try:
        # a pipe would wait for its writer for ever
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise FileError(
            f"A file cannot be read ({error.strerror}). Give it read permission, or leave it out."
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileError("Not a file but a pipe, a device or a folder. Leave it out.")
        return Walk(descriptor, path).header()
    except (OddError, struct.error, IndexError):
        return read_with_pydicom(path)
    except OSError as error:
        raise FileError(f"A file cannot be read ({error.strerror}). Copy it again from its source.") from error
    finally:
        os.close(descriptor)
