"""One file's second look: header, bytes and pixels, each by other means than the first."""

from collections.abc import Iterable, Sequence
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
from isocenter.intake.deid.proof.pixels import Eye, look_again
from isocenter.intake.deid.proof.raw import words_left
from isocenter.intake.deid.sources import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """How files are looked at again: what speaks against a file's release, in words that name nobody.

    Args:
        profile: What was asked for.
        eyes: That read what may be left in pixels; none where pixels were not to be cleaned.
    """

    profile: Profile
    eyes: tuple[Eye, ...] = ()

    def at(self, was: Path, now: Path, *, identity: Identity) -> tuple[str, ...]:
        """Return what is found in a DICOM file that is to leave.

        Raises:
            FileError: Its pixels cannot be decoded.
            MissingExtraError: The second table of headers is not installed.
        """
        doubts = [f"header: {wrong}" for wrong in wrong_elements(was, now, profile=self.profile)]
        left = words_left(now, identity)
        doubts += [f"bytes: {len(left)} word(s) of the header's identity are still there"] if left else []
        if self.eyes and has_pixels(file := read_file(now)):
            doubts += _still_read(pictures_of(file, frame_count(file)), self.eyes, identity)
        return tuple(doubts)

    def at_picture(self, now: Path, kind: Kind) -> tuple[str, ...]:
        """Return what is found in a picture or NIfTI file that is to leave; whom it may name, nobody has said.

        Raises:
            FileError: It cannot be decoded.
        """
        content = now.read_bytes()
        left = [name for name in strip(content, kind).removed if name != ORIENTATION]
        doubts = [f"header: {name} was left" for name in left]
        if kind != "nifti" and self.eyes:
            doubts += _still_read([shown_as(decode_raster(content, name="A picture"))], self.eyes, NOBODY)
        return tuple(doubts)


def _still_read(pictures: Iterable[Frame], eyes: Sequence[Eye], identity: Identity) -> list[str]:
    """Return what can still be read in pictures."""
    found = [look_again(picture, eyes=eyes, identity=identity) for picture in pictures]
    names, others = sum(len(one.names) for one in found), sum(len(one.others) for one in found)
    doubts = [f"pixels: a second reader still reads {names} line(s) like what the header said"] if names else []
    return doubts + ([f"pixels: a second reader still reads {others} line(s) of text"] if others else [])
