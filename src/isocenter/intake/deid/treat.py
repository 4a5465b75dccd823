"""One file in, one file out without identity, or the reason why not."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from isocenter.dicom.elements.file import DicomFile, read_file, write_file
from isocenter.dicom.files import tags
from isocenter.errors import FileError
from isocenter.intake.deid.headers import clean_headers
from isocenter.intake.deid.pictures import strip
from isocenter.intake.deid.profile.options import PIXELS
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.intake.deid.risk import risk_of
from isocenter.intake.deid.sources import Kind, kind_of
from isocenter.intake.deid.treated import Treated

_LOOK = "Have pixels looked at: add clean-pixel-data to the profile."
_TWICE = "Another file has the same SOP Instance UID. One of them was released; look which one is right."
_ENDINGS = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How every file of a run is treated.

    Args:
        profile: What to do with which attribute.
        pseudonyms: Of the project.
        root: The folder that is de-identified; names of files stand for their place in it.
        out: Where files are written.
    """

    profile: Profile
    pseudonyms: Pseudonyms
    root: Path
    out: Path

    def treat(self, path: Path, number: int) -> Treated:
        """Return what was done with a file; nothing that it may hold is ever raised, all of it is told."""
        try:
            kind = kind_of(path)
        except FileError as error:
            return Treated(number=number, kind="other", decision="review", reason=str(error))
        try:
            if kind == "dicom":
                return self._dicom(path, number)
            if kind == "dicomdir":
                reason = "A DICOMDIR repeats what its files say of patients; readers make a new one."
                return Treated(number=number, kind=kind, decision="leave out", reason=reason)
            if kind == "other":
                reason = "No DICOM file and no picture that is understood. Look whether it belongs to the cohort."
                return Treated(number=number, kind=kind, decision="review", reason=reason)
            return self._picture(path, number, kind)
        except FileError as error:
            return Treated(number=number, kind=kind, decision="review", reason=str(error))

    def _dicom(self, path: Path, number: int) -> Treated:
        file = read_file(path)
        cleaned = clean_headers(file, profile=self.profile, pseudonyms=self.pseudonyms)
        name = _place(cleaned.file, cleaned.patient, number)
        told = Treated(
            number=number, kind="dicom", decision="release", name=str(name), patient=cleaned.patient,
            changes=cleaned.changes, identity=cleaned.identity,
            study=(cleaned.file.text(tags.STUDY), file.text(tags.STUDY)),
        )  # fmt: skip
        risk = "" if self.profile.has(PIXELS) else risk_of(file)
        if risk:
            return replace(told, decision="review", reason=f"{risk} {_LOOK}", name="")
        target = self.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            return replace(told, decision="review", reason=_TWICE, name="")
        write_file(cleaned.file, target)
        return told

    def _picture(self, path: Path, number: int, kind: Kind) -> Treated:
        if kind != "nifti" and not self.profile.has(PIXELS):
            reason = f"Something may be written in a picture's pixels. {_LOOK}"
            return Treated(number=number, kind=kind, decision="review", reason=reason)
        try:
            bare = strip(path.read_bytes(), kind)
        except OSError as error:
            raise FileError(f"A file cannot be read ({error.strerror}). Copy it again from its source.") from error
        name = self._named(path, kind)
        target = self.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(bare.content)
        return Treated(number=number, kind=kind, decision="release", name=str(name), removed=bare.removed)

    def _named(self, path: Path, kind: Kind) -> PurePosixPath:
        """Return where a picture goes; what lay together in a folder still does."""
        inside = path.relative_to(self.root if self.root.is_dir() else self.root.parent)
        stem, ending = _split(inside.name, kind)
        folders = [self.pseudonyms.text("folder", part) for part in inside.parts[:-1]]
        # the whole path decides: two files of one name in two folders are two pictures
        return PurePosixPath("pictures", *folders, self.pseudonyms.text("file", f"{inside.parent}/{stem}") + ending)


def _place(file: DicomFile, patient: str, number: int) -> PurePosixPath:
    """Return patient/study/series/instance, of pseudonyms; a file without an instance's UID goes by its number."""
    parts = [file.text(tag) for tag in (tags.STUDY, tags.SERIES)]
    instance = file.text(tags.SOP_INSTANCE) or f"file-{number}"
    return PurePosixPath("dicom", patient, *(part or "none" for part in parts), f"{instance}.dcm")


def _split(name: str, kind: Kind) -> tuple[str, str]:
    """Return a file's name without its ending, and the ending of its kind."""
    if kind != "nifti":
        return name.rpartition(".")[0] or name, _ENDINGS[kind]
    lowered = name.lower()
    ending = next((one for one in (".nii.gz", ".nii") if lowered.endswith(one)), ".nii")
    return name[: -len(ending)] if lowered.endswith(ending) else name, ending
