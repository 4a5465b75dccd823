"""One file's second look: header, bytes and pixels, each by other means than the first."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from isocenter.dicom.elements.file import read_file
from isocenter.image.raster import decode_raster
from isocenter.intake.deid.identity import NOBODY, Identity
from isocenter.intake.deid.pictures import strip
from isocenter.intake.deid.pictures.jpeg import ORIENTATION
from isocenter.intake.deid.pixels.cleaner import has_pixels, pictures_of
from isocenter.intake.deid.pixels.picture import shown_as
from isocenter.intake.deid.pixels.stored import Frame, frame_count
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.proof.headers import wrong_elements
from isocenter.intake.deid.proof.pixels import look_again
from isocenter.intake.deid.proof.raw import words_left
from isocenter.intake.deid.sources import Kind
from isocenter.processing.text.line import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What a second look at a file found.

    Args:
        doubts: What speaks against its release, in words that name nobody; none where it may go.
        frames: How many frames were covered by the look at its pixels; 0 where it was not asked for.
    """

    doubts: tuple[str, ...]
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """How files are looked at again.

    Args:
        profile: What was asked for.
        reader: Another reader than the first; None where pixels were not to be cleaned.
    """

    profile: Profile
    reader: Reader | None

    def at(self, was: Path, now: Path, *, identity: Identity) -> Proved:
        """Return what is found in a DICOM file that is to leave.

        Raises:
            FileError: Its pixels cannot be decoded.
            MissingExtraError: The second table of headers is not installed.
        """
        doubts = [f"header: {wrong}" for wrong in wrong_elements(was, now, profile=self.profile)]
        left = words_left(now, identity)
        doubts += [f"bytes: {len(left)} word(s) of the header's identity are still there"] if left else []
        file = read_file(now)
        if self.reader is None or not has_pixels(file):
            return Proved(doubts=tuple(doubts), frames=0)
        frames = frame_count(file)
        return Proved(doubts=(*doubts, *self._of(pictures_of(file, frames), identity)), frames=frames)

    def at_picture(self, now: Path, kind: Kind) -> Proved:
        """Return what is found in a picture or NIfTI file that is to leave; whom it may name, nobody has said.

        Raises:
            FileError: It cannot be decoded.
        """
        content = now.read_bytes()
        left = [name for name in strip(content, kind).removed if name != ORIENTATION]
        doubts = [f"header: {name} was left" for name in left]
        if kind == "nifti" or self.reader is None:
            return Proved(doubts=tuple(doubts), frames=0)
        picture = shown_as(decode_raster(content, name="A picture"))
        return Proved(doubts=(*doubts, *self._of([picture], NOBODY)), frames=1)

    def _of(self, pictures: Iterable[Frame], identity: Identity) -> list[str]:
        """Return what can still be read in pictures, in words that name nobody."""
        if self.reader is None:
            return []
        found = [look_again(picture, reader=self.reader, identity=identity) for picture in pictures]
        names, others = sum(len(one.names) for one in found), sum(len(one.others) for one in found)
        doubts = [f"pixels: a second reader still reads {names} line(s) like what the header said"] if names else []
        return doubts + ([f"pixels: a second reader still reads {others} line(s) of text"] if others else [])
