"""A path becomes volumes by role: a DICOM folder, file or zip, a NIfTI file, or a folder of one NIfTI a role."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Literal

from isocenter.dicom import Scan, Series, load
from isocenter.dicom import scan as scan_folder
from isocenter.errors import FileError, SeriesError
from isocenter.image import Volume, read_nifti
from isocenter.recipe import Channel

Kind = Literal["dicom", "nifti"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What lay at a path.

    Args:
        volumes: By role, the first one first.
        series: The DICOM series behind each volume, in the same order; empty for NIfTI.
        files: Every file that was read, to the sha256 of its bytes, for the receipt.
    """

    kind: Kind
    volumes: dict[str, Volume]
    series: tuple[Series, ...]
    files: Mapping[Path, str]


def digest_of(path: Path) -> str:
    """Return the sha256 in hex of a file.

    Raises:
        FileError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        # no name: those of DICOM files may bear identity
        raise FileError(
            f"A file of the input cannot be read: {error.strerror}. Start again once it is there."
        ) from error


def is_nifti(path: Path) -> bool:
    """Return whether a path is named as a NIfTI file."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def open_input(
    path: Path,
    *,
    channels: Sequence[Channel] = (),
    accept: Collection[str] = (),
    series: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Opened:
    """Return the volumes at a path, one for each channel wanted.

    Args:
        path: DICOM folder, file or zip; a NIfTI file; or a folder with one NIfTI file a role (t1.nii.gz).
        channels: What a model reads; empty takes the one volume that is there.
        accept: Words that take a series in spite of its verdict (see dicom.load).
        series: Takes that series of the scan, by its number from 1, for the only channel.
        progress: Told (files scanned, files in all).

    Raises:
        FileError: Nothing there that can be read.
        SeriesError: No series that fits, several that fit, or one whose verdict is not accepted.
    """
    if is_nifti(path):
        channel = channels[0] if len(channels) == 1 else None
        before = _hashed([path])
        volume = read_nifti(path) if channel is None else _as_said(path, channel)
        role = "image" if channel is None else channel.role
        return Opened(kind="nifti", volumes={role: volume}, series=(), files=_unchanged(before))
    named = _one_file_a_role(path, channels)
    if named:
        before = _hashed(named.values())
        volumes = {channel.role: _as_said(named[channel.role], channel) for channel in channels}
        return Opened(kind="nifti", volumes=volumes, series=(), files=_unchanged(before))
    found = scan_folder(path, progress=progress)
    chosen = _choose(found, channels=channels, series=series)
    before = _hashed(file for one in chosen.values() for file in one.paths)
    volumes = {role: load(one, accept=accept) for role, one in chosen.items()}
    return Opened(kind="dicom", volumes=volumes, series=tuple(chosen.values()), files=_unchanged(before))


def _hashed(paths: Iterable[Path]) -> dict[Path, str]:
    return {path: digest_of(path) for path in dict.fromkeys(paths)}


def _unchanged(before: Mapping[Path, str]) -> Mapping[Path, str]:
    """Return the digests that were taken before reading, where they hold after it too.

    Raises:
        FileError: A file changed while it was read.
    """
    if _hashed(before) != before:
        raise FileError("A file of the input changed while it was read. Wait until whoever writes it is done.")
    return before


def _as_said(path: Path, channel: Channel) -> Volume:
    """Return a NIfTI volume as what the model reads: NIfTI itself says neither modality nor unit."""
    return read_nifti(path, unit=channel.unit, modality=channel.modality)


def _one_file_a_role(path: Path, channels: Sequence[Channel]) -> dict[str, Path]:
    """Return role to file where a folder holds a NIfTI file for each channel, by name."""
    if not path.is_dir():
        return {}
    found = {}
    for channel in channels:
        files = [path / f"{channel.role}{end}" for end in (".nii.gz", ".nii")]
        there = next((file for file in files if file.is_file()), None)
        if there is None:
            return {}
        found[channel.role] = there
    return found


def _choose(found: Scan, *, channels: Sequence[Channel], series: int | None) -> dict[str, Series]:
    volumes = [one for one in found if one.verdict not in ("not an image", "encrypted", "unsupported")]
    if not found.series:
        raise FileError(
            f"There is no DICOM image among {found.files} files. Name a DICOM folder, file or zip, or a NIfTI file."
        )
    if series is not None:
        if not 1 <= series <= len(found.series):
            raise SeriesError(
                f"There is no series {series}; `isocenter scan` numbers them from 1 to {len(found.series)}."
            )
        return {channels[0].role if channels else "image": found.series[series - 1]}
    if len(channels) < 2:
        channel = channels[0] if channels else None
        role = "image" if channel is None else channel.role
        return {role: _only(_fitting(volumes, channel, found=found), of=role, found=found)}
    return _together({channel.role: _of_role(volumes, channel, found=found) for channel in channels})


def _fitting(volumes: Sequence[Series], channel: Channel | None, *, found: Scan) -> Sequence[Series]:
    """Return the series that a channel can be: of its modality, and of its role where some are.

    Raises:
        SeriesError: None is of its modality.
    """
    if channel is None:
        return volumes
    fits = [one for one in volumes if "OT" in (channel.modality, one.modality) or one.modality == channel.modality]
    if not fits:
        there = ", ".join(sorted({one.modality for one in found}))
        raise SeriesError(f"The model reads {channel.modality}; the study holds {there}.")
    return [one for one in fits if one.role == channel.role] or fits


def _of_role(volumes: Sequence[Series], channel: Channel, *, found: Scan) -> Series:
    """Return the one series of a role: where a model reads several, nothing else may take its place.

    Raises:
        SeriesError: There is none, or there are several.
    """
    named = [one for one in _fitting(volumes, channel, found=found) if one.role == channel.role]
    if not named:
        there = ", ".join(dict.fromkeys(one.role for one in volumes)) or "none"
        raise SeriesError(f"The model reads a series {channel.role!r}; the study holds {there}.")
    return _only(named, of=channel.role, found=found)


def _together(chosen: dict[str, Series]) -> dict[str, Series]:
    """Return the series of several channels, where they show one patient in one place.

    Raises:
        SeriesError: They are of several studies, or measured from different origins.
    """
    if len({one.study_uid for one in chosen.values()}) > 1:
        raise SeriesError("The series that the model reads together are of several studies. Name one study's folder.")
    if len({one.frame_of_reference for one in chosen.values()} - {""}) > 1:
        raise SeriesError(
            "The series that the model reads together have different frames of reference: the patient was laid anew "
            "between them. Register them first."
        )
    return chosen


def _only(volumes: Sequence[Series], *, of: str, found: Scan) -> Series:
    regular = [one for one in volumes if one.verdict == "regular"]
    candidates = regular or list(volumes)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        first = found.series[0]
        raise SeriesError(f"No series makes a volume for {of!r}: {first.verdict}. {first.reason}")
    listed = "; ".join(
        f"{found.series.index(one) + 1}: {one.modality} {one.role} {'×'.join(map(str, one.shape))}"
        for one in candidates[:8]
    )
    raise SeriesError(f"{len(candidates)} series could be {of!r} ({listed}). Say which with --series NUMBER.")
