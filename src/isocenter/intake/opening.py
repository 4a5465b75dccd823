"""A path becomes volumes by role: DICOM as folder, file or zip, a NIfTI file or picture, or a folder of one a role."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isocenter.case.role import is_other_role
from isocenter.dicom import Scan, Series, load
from isocenter.dicom import scan as scan_folder
from isocenter.dicom.series import require_words
from isocenter.errors import FileError, SeriesError
from isocenter.image import Volume, read_nifti
from isocenter.image.raster import RASTER_ENDINGS, decode_raster, is_raster
from isocenter.intake.steady import read_steady, steady
from isocenter.recipe import Channel

Kind = Literal["dicom", "nifti", "picture"]
_UNNAMED = "a file of the input"  # no name: those of DICOM files may bear identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What lay at a path.

    Args:
        volumes: By role, the first one first.
        series: The DICOM series behind each volume, in the same order; empty for other kinds.
        files: Every file that was read, to the sha256 of its bytes, for the receipt.
    """

    kind: Kind
    volumes: dict[str, Volume]
    series: tuple[Series, ...]
    files: Mapping[Path, str]


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
        path: DICOM folder, file or zip; a NIfTI file; a PNG, JPEG, TIFF or BMP; or a folder with one NIfTI file or
            picture a role (t1.nii.gz, cc.png).
        channels: What a model reads; empty takes the one volume that is there.
        accept: Words that take a series in spite of its verdict (see dicom.load).
        series: Takes that series of the scan, by its number from 1, for the only channel.
        progress: Told (files scanned, files in all).

    Raises:
        FileError: Nothing there that can be read.
        SeriesError: No series that fits, several that fit, one whose verdict is not accepted, or an unknown word.
    """
    require_words(accept)
    if is_nifti(path) or is_raster(path):
        role = channels[0].role if len(channels) == 1 else "image"
        return _from_files({role: path}, channels=channels if len(channels) == 1 else ())
    named = _one_file_a_role(path, channels)
    if named:
        return _from_files(named, channels=channels)
    found = scan_folder(path, progress=progress)
    chosen = _choose(found, channels=channels, series=series)
    with ExitStack() as still:
        paths = dict.fromkeys(file for one in chosen.values() for file in one.paths)
        files = {file: still.enter_context(steady(file, name=_UNNAMED)) for file in paths}
        volumes = {role: load(one, accept=accept) for role, one in chosen.items()}
    return Opened(kind="dicom", volumes=volumes, series=tuple(chosen.values()), files=files)


def _from_files(named: Mapping[str, Path], *, channels: Sequence[Channel]) -> Opened:
    """Return NIfTI files or pictures by role, as what the model reads: they say neither modality nor unit themselves.

    Raises:
        FileError: One cannot be read, or changed while it was.
    """
    said = {channel.role: channel for channel in channels}
    volumes, files = {}, {}
    for role, path in named.items():
        channel = said.get(role)
        modality, unit = ("OT", "1") if channel is None else (channel.modality, channel.unit)
        if is_raster(path):
            content, files[path] = read_steady(path, name=path.name)
            volumes[role] = decode_raster(content, name=path.name, modality=modality)
            continue
        with steady(path, name=path.name) as digest:
            volumes[role], files[path] = read_nifti(path, unit=unit, modality=modality), digest
    kind: Kind = "picture" if all(is_raster(path) for path in named.values()) else "nifti"
    return Opened(kind=kind, volumes=volumes, series=(), files=files)


def _one_file_a_role(path: Path, channels: Sequence[Channel]) -> dict[str, Path]:
    """Return role to file where a folder holds a NIfTI file or a picture for each channel, by name."""
    if not path.is_dir():
        return {}
    found = {}
    for channel in channels:
        files = [path / f"{channel.role}{end}" for end in (".nii.gz", ".nii", *RASTER_ENDINGS)]
        there = next((file for file in files if file.is_file()), None)
        if there is None:
            return {}
        found[channel.role] = there
    return found


def _choose(found: Scan, *, channels: Sequence[Channel], series: int | None) -> dict[str, Series]:
    volumes = [one for one in found if one.verdict not in ("not an image", "encrypted", "unsupported")]
    if not found.series and found.files == 1:
        raise FileError(
            "The one file there is no DICOM image, no NIfTI file and no picture that is read here. Save a picture as "
            "PNG, JPEG, TIFF or BMP, under that ending."
        )
    if not found.series:
        raise FileError(
            f"There is no DICOM image among {found.files} files. Name a DICOM folder, file or zip, a NIfTI file, or a "
            "picture (PNG, JPEG, TIFF)."
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
        SeriesError: None is of its modality, or all are of another sequence, such as a T1 for a model of FLAIR.
    """
    if channel is None:
        return volumes
    fits = _of_modality(volumes, channel, found=found)
    alike = [one for one in fits if one.role == channel.role]
    alike = alike or [one for one in fits if not is_other_role(one.role, than=channel.role)]
    if not alike:
        there = ", ".join(dict.fromkeys(one.role for one in fits))
        raise SeriesError(
            f"The model reads a series {channel.role!r}; the study holds {there}. If one of these is it all the same, "
            "say which with --series NUMBER."
        )
    return alike


def _of_modality(volumes: Sequence[Series], channel: Channel, *, found: Scan) -> Sequence[Series]:
    """Return the series of a channel's modality.

    Raises:
        SeriesError: There is none.
    """
    fits = [one for one in volumes if "OT" in (channel.modality, one.modality) or one.modality == channel.modality]
    if not fits:
        there = ", ".join(sorted({one.modality for one in found}))
        raise SeriesError(f"The model reads {channel.modality}; the study holds {there}.")
    return fits


def _of_role(volumes: Sequence[Series], channel: Channel, *, found: Scan) -> Series:
    """Return the one series of a role: where a model reads several, nothing else may take its place.

    Raises:
        SeriesError: There is none, or there are several.
    """
    named = [one for one in _of_modality(volumes, channel, found=found) if one.role == channel.role]
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
