"""One file in, one file out without identity, or the reason why not."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from isocenter.dicom.elements.file import DicomFile, read_file, seldom_collected, write_file
from isocenter.dicom.files import tags
from isocenter.errors import FileError, ProofError
from isocenter.image.raster import encode_png
from isocenter.intake.deid.faces import Faces
from isocenter.intake.deid.headers import clean_headers
from isocenter.intake.deid.pictures import strip
from isocenter.intake.deid.pixels.cleaner import Cleaner, has_pixels
from isocenter.intake.deid.pixels.picture import blank_picture, seen_in
from isocenter.intake.deid.pixels.stream import without_words
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.proof.second import SecondLook
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.intake.deid.risk import risk_of
from isocenter.intake.deid.sources import Kind, kind_of
from isocenter.intake.deid.treated import Treated

DICOM, PICTURES = "dicom", "pictures"  # folders of a release

_LOOK = "Have pixels looked at: add clean-pixel-data to the profile."
_TWICE = "Another file has the same SOP Instance UID. One of them was released; look which one is right."
_DIRECTORY = "A DICOMDIR repeats what its files say of patients; readers make a new one."
_FACE = "It may show a face, and faces are found in DICOM files alone."
_STRANGE = "No DICOM file and no picture that is understood. Look whether it belongs to the cohort."
_NAMED = 6  # doubts that a reason spells out; more are counted
_ENDINGS = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How every file of a run is treated.

    Args:
        profile: What to do with which attribute.
        pseudonyms: Of the project.
        root: The folder that is de-identified; names of files stand for their place in it.
        out: Where files are written that may leave.
        review: Where files are written that a second look has doubts about.
        cleaner: Of pixels; None where the profile does not ask for it.
        faces: Where faces are; None where the profile does not ask for their removal.
        second: The second look; None where no proof was asked for.
    """

    profile: Profile
    pseudonyms: Pseudonyms
    root: Path
    out: Path
    review: Path
    cleaner: Cleaner | None = None
    faces: Faces | None = None
    second: SecondLook | None = None

    def treat(self, path: Path, number: int) -> Treated:
        """Return what was done with a file; whatever may be wrong with it is told, not raised.

        Raises:
            OSError: What is to leave cannot be written, as on a full disk: then nothing may leave.
        """
        kind: Kind = "other"
        try:
            kind = kind_of(path)
            with seldom_collected():
                return _WAYS[kind](self, path, number, kind)
        except (FileError, ProofError) as error:
            return Treated(number=number, kind=kind, decision="review", reason=str(error))

    def dicom(self, path: Path, number: int, kind: Kind) -> Treated:
        """Treat a DICOM file.

        Raises:
            FileError: It is damaged.
            ProofError: Blanking would change other pixels too.
        """
        file = read_file(path)
        cleaned = clean_headers(file, profile=self.profile, pseudonyms=self.pseudonyms)
        told = Treated(
            number=number, kind=kind, decision="release", patient=cleaned.patient,
            elements=Counter(change.action for change in cleaned.changes), identity=cleaned.identity,
            person=cleaned.identity.person, study=(cleaned.file.text(tags.STUDY), file.text(tags.STUDY)),
            name=str(_place(cleaned.file, cleaned.patient, number)),
        )  # fmt: skip
        clean = without_words(cleaned.file)
        if self.cleaner is None:
            risk = risk_of(file)
            if risk:
                return replace(told, decision="review", reason=f"{risk} {_LOOK}", name="")
        elif has_pixels(file):
            looked = self.cleaner.clean(clean, was=file, identity=cleaned.identity)
            clean = looked.file
            told = replace(told, frames=looked.frames, boxes=looked.boxes, seen=looked.seen)
        if self.faces is not None:
            clean, cut = self.faces.cut(path, file, clean)
            told = replace(told, faces=cut)
        if (self.out / told.name).exists():
            return replace(told, decision="review", reason=_TWICE, name="")
        write_file(clean, _made(self.out / told.name))
        return self._looked_at_again(path, told, kind=kind)

    def picture(self, path: Path, number: int, kind: Kind) -> Treated:
        """Treat a picture, or a NIfTI file.

        Raises:
            FileError: It is damaged.
        """
        if self.faces is not None:
            return Treated(number=number, kind=kind, decision="review", reason=_FACE)
        if kind != "nifti" and self.cleaner is None:
            return Treated(number=number, kind=kind, decision="review", reason=f"A picture may be written on. {_LOOK}")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise FileError(f"A file cannot be read ({error.strerror}). Copy it again from its source.") from error
        bare = strip(content, kind)
        name, ending = self._named(path, kind)
        told = Treated(number=number, kind=kind, decision="release", removed=bare.removed)
        if kind != "nifti" and self.cleaner is not None:
            image, seen = seen_in(content, reader=self.cleaner.reader, keeps_scales=self.cleaner.keeps_scales)
            told = replace(told, frames=1, boxes=seen.boxes(), seen=(seen,))
            if told.boxes:
                told = replace(told, name=f"{name}.png")
                _made(self.out / told.name).write_bytes(encode_png(blank_picture(image, told.boxes)))
                return self._looked_at_again(path, told, kind="png")
        told = replace(told, name=f"{name}{ending}")
        _made(self.out / told.name).write_bytes(bare.content)
        return self._looked_at_again(path, told, kind=kind)

    def pictures(self, folder: PurePosixPath) -> PurePosixPath:
        """Return where the pictures of a folder below the root go."""
        return PurePosixPath(PICTURES, *(self.pseudonyms.text("folder", part) for part in folder.parts))

    def leave(self, path: Path, number: int, kind: Kind) -> Treated:
        """Leave out what only repeats the others."""
        return Treated(number=number, kind=kind, decision="leave out", reason=_DIRECTORY)

    def keep_back(self, path: Path, number: int, kind: Kind) -> Treated:
        """Keep back what is not understood."""
        return Treated(number=number, kind=kind, decision="review", reason=_STRANGE)

    def _looked_at_again(self, path: Path, told: Treated, *, kind: Kind) -> Treated:
        """Return a file proved, or moved to where a person looks at it."""
        if self.second is None:
            return told
        now, doubts = self.out / told.name, tuple[str, ...]()
        try:
            if told.identity is None:
                doubts = self.second.at_picture(now, kind)
            else:
                doubts = (*self.second.at(path, now, identity=told.identity), *self._faces_left(path, now))
        except FileError as error:  # what cannot be looked at again is not proved
            doubts = (str(error),)
        if not doubts:
            return replace(told, is_proved=True)
        now.rename(_made(self.review / told.name))
        return replace(told, decision="review", reason=_listed(doubts))

    def _faces_left(self, path: Path, now: Path) -> tuple[str, ...]:
        left = 0 if self.faces is None else self.faces.left(path, read_file(path), now)
        return (f"pixels: something stands in {left} frame(s) where a face was",) if left else ()

    def _named(self, path: Path, kind: Kind) -> tuple[str, str]:
        """Return where a picture goes, and its ending; what lay together in a folder still does."""
        inside = path.relative_to(self.root if self.root.is_dir() else self.root.parent)
        stem, ending = _split(inside.name, kind)
        # the whole path decides: two files of one name in two folders are two pictures
        word = self.pseudonyms.text("file", f"{inside.parent}/{stem}")
        return str(self.pictures(PurePosixPath(*inside.parts[:-1])) / word), ending


_WAYS: Mapping[Kind, Callable[[Way, Path, int, Kind], Treated]] = {
    "dicom": Way.dicom, "dicomdir": Way.leave, "png": Way.picture, "jpeg": Way.picture, "tiff": Way.picture,
    "nifti": Way.picture, "table": Way.keep_back, "other": Way.keep_back,
}  # fmt: skip


def _listed(doubts: tuple[str, ...]) -> str:
    more = f"; and {len(doubts) - _NAMED} more" if len(doubts) > _NAMED else ""
    return "; ".join(sorted(doubts)[:_NAMED]) + more


def _made(path: Path) -> Path:
    """Return a path whose folder is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _place(file: DicomFile, patient: str, number: int) -> PurePosixPath:
    """Return patient/study/series/instance, of pseudonyms; a file without an instance's UID goes by its number."""
    parts = [file.text(tag) for tag in (tags.STUDY, tags.SERIES)]
    instance = file.text(tags.SOP_INSTANCE) or f"file-{number}"
    return PurePosixPath(DICOM, patient, *(part or "none" for part in parts), f"{instance}.dcm")


def _split(name: str, kind: Kind) -> tuple[str, str]:
    """Return a file's name without its ending, and the ending of its kind."""
    if kind != "nifti":
        return name.rpartition(".")[0] or name, _ENDINGS[kind]
    lowered = name.lower()
    ending = next((one for one in (".nii.gz", ".nii") if lowered.endswith(one)), ".nii")
    return name[: -len(ending)] if lowered.endswith(ending) else name, ending
