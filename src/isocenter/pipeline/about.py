"""What this isocenter can do, and what is missing for what; both without loading anything heavy."""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from isocenter.pipeline.public import document
from isocenter.pipeline.steps import STEPS

# extra -> (a package that only it brings, what cannot be done without it)
EXTRAS = {
    "learn": (("torch", "safetensors"), "plan, train, evaluate and predict"),
    "report": (("typst",), "reports as PDF"),
    "speed": (("openvino",), "quicker reading on a CPU"),
    "intake": (("rapidocr", "dicomanonymizer"), "de-identification of pixels, and its proof"),
    "restore": (("skimage",), "non-local means and total variation"),
    "hospital": (("pynetdicom", "dicomweb_client"), "fetching from a PACS"),
}
# program -> (Debian package, what it is wanted for)
PROGRAMS = {
    "dciodvfy": ("dicom3tools", "the tests' check of DICOM objects"),
    "dcmdump": ("dcmtk", "the tests' second reader of DICOM"),
    "Orthanc": ("orthanc orthanc-dicomweb", "the tests' PACS"),
    "tesseract": ("tesseract-ocr tesseract-ocr-chi-sim", "the second look at pixels that were cleaned"),
}
_LEAST_MEMORY_GB = 4
_LEAST_DISK_GB = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What this isocenter can do."""

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `info`."""
        from isocenter.intake.layouts import LAYOUTS
        from isocenter.intake.layouts.writing import WRITERS
        from isocenter.learning.tasks import TASKS
        from isocenter.models import NETWORKS

        return document(
            "info",
            steps=list(STEPS),
            inputs=["dicom folder", "dicom file", "zip of dicom", "nifti", "png", "jpeg", "tiff", "bmp"],
            layouts=list(LAYOUTS),
            exports=list(WRITERS),
            outputs=["nifti", "dicom seg", "html", "pdf"],
            tasks=list(TASKS),
            networks=list(NETWORKS),
            languages=["zh", "en"],
            extras={name: _has(name) for name in EXTRAS},
            network=False,
            telemetry=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One thing the doctor looked at."""

    name: str
    held: bool
    figure: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything the doctor looked at. A missing thing is no failure: the outcome says what it is wanted for."""

    checks: tuple[Looked, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `doctor`."""
        checks = [{"name": c.name, "held": c.held, "figure": c.figure, "mend": c.mend} for c in self.checks]
        return document("doctor", checks=checks)


def info() -> Info:
    """Return what this isocenter can do: steps, formats, tasks, networks and installed extras."""
    return Info()


def doctor() -> Diagnosis:
    """Return what is there and what is missing on this machine, and what would mend it."""
    return Diagnosis(checks=(_python(), *_machine(), *_extras(), *_programs()))


def _has(extra: str) -> bool:
    return all(find_spec(package) is not None for package in EXTRAS[extra][0])


def _python() -> Looked:
    return Looked(
        name="Python",
        held=sys.version_info >= (3, 11),
        figure=platform.python_version(),
        mend="Install Python 3.11 or later.",
    )


def _machine() -> tuple[Looked, ...]:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    free_gb = shutil.disk_usage(os.curdir).free / 2**30
    return (
        Looked(name="cores", held=True, figure=str(os.cpu_count() or 1), mend=""),
        Looked(
            name="memory",
            held=memory_gb >= _LEAST_MEMORY_GB,
            figure=f"{memory_gb:.1f} GB",
            mend=f"Training wants {_LEAST_MEMORY_GB} GB or more.",
        ),
        Looked(
            name="free disk here",
            held=free_gb >= _LEAST_DISK_GB,
            figure=f"{free_gb:.1f} GB",
            mend=f"A store wants {_LEAST_DISK_GB} GB or more.",
        ),
    )


def _extras() -> tuple[Looked, ...]:
    return tuple(
        Looked(
            name=f"extra [{name}]",
            held=_has(name),
            figure="there" if _has(name) else "not installed",
            mend=f"pip install 'isocenter[{name}]' for {purpose}.",
        )
        for name, (_, purpose) in EXTRAS.items()
    )


def _programs() -> tuple[Looked, ...]:
    return tuple(
        Looked(
            name=program,
            held=shutil.which(program) is not None,
            figure=shutil.which(program) or "not installed",
            mend=f"Debian's {package}, for {purpose}; isocenter itself does without.",
        )
        for program, (package, purpose) in PROGRAMS.items()
    )
