"""Pictures of one volume to a series with its verdict."""

from dataclasses import dataclass
from math import isfinite

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import NATIVE, Header
from isocenter.dicom.files.soundness import is_cut, is_malformed
from isocenter.dicom.frames.frame import Frame
from isocenter.dicom.series import Instance, Series
from isocenter.dicom.verdict.geometry import Flaw, Stack, affine_of, stack
from isocenter.dicom.verdict.kinds import NOT_PICTURES, is_localiser, referenced_series, role_of
from isocenter.errors import GridError
from isocenter.image import Affine

_PLANAR = frozenset({"CR", "DX", "MG", "IO", "PX", "XA", "RF", "XC", "ES", "GM", "OP", "OT", "SC", "RG", "DR", "US"})
"""Modalities whose pictures may have no place in the body and still are pictures."""

_DECODED = NATIVE | {
    "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
}  # fmt: skip


def judge(frames: list[Frame], *, name: str, holder: object = None) -> Series:
    """Return the series that some pictures of one volume make, with its verdict."""
    cut = {header.path for header in {id(frame.header): frame.header for frame in frames}.values() if _lacks(header)}
    whole = [frame for frame in frames if frame.header.path not in cut]
    flaws = _form_flaws(frames, whole=len(whole))
    used = whole or frames
    built: Stack | None = None
    affine: Affine | None = None
    if all(frame.position and frame.orientation and frame.spacing for frame in used):
        built, affine, more = _placed(used)
        flaws += more
        used = [used[index] for index in built.order]
    else:
        flaws += _unplaced(used)
    found = _found(used, flaws=flaws, built=built, affine=affine)
    return found.series(frames[0].header, name=name, holder=holder)


def judge_blank(header: Header, *, holder: object = None) -> Series:
    """Return the series of a file without a picture: a segmentation, a report, an encrypted object."""
    kind = NOT_PICTURES.get(header.text(tags.SOP_CLASS))
    if kind:
        flaw = Flaw(verdict="not an image", reason=f"It is {kind}, which its own reader reads.")
    elif tags.ENCRYPTED in header.values and header.pixels == (0, 0) and tags.ROWS not in header.values:
        flaw = Flaw(verdict="encrypted", reason="Its attributes are encrypted. Decrypt it with the sender's key first.")
    else:
        flaw = Flaw(verdict="not an image", reason=f"An object of modality {header.text(tags.MODALITY) or 'unknown'}.")
    instance = Instance(path=header.path, frame=0, sop_uid=header.text(tags.SOP_INSTANCE), position=None)
    found = _Found(instances=(instance,), flaws=(flaw,), references=referenced_series(header))
    return found.series(header, name="", holder=holder)


def _lacks(header: Header) -> bool:
    try:
        return is_cut(header)
    except OSError:
        return True


def _form_flaws(frames: list[Frame], *, whole: int) -> list[Flaw]:
    """Return what the headers alone say against a volume."""
    header, count = frames[0].header, len(frames)
    flaws: list[Flaw] = []
    syntaxes = {frame.header.syntax for frame in frames} - _DECODED
    odd = sum(is_malformed(frame.header) or not _can_scale(frame) for frame in frames)
    if syntaxes:
        flaws.append(Flaw(verdict="unsupported", reason=f"No decoder for transfer syntax {min(syntaxes)} (video?)."))
    elif header.integer(tags.BITS_ALLOCATED) not in (8, 16, 32):
        flaws.append(Flaw(verdict="unsupported", reason=f"{header.integer(tags.BITS_ALLOCATED)} bits in a pixel."))
    elif odd:
        reason = f"The headers of {odd} of {count} pictures contradict themselves. Copy them again from their source."
        flaws.append(Flaw(verdict="unsupported", reason=reason))
    elif whole < count:
        flaws.append(Flaw(
            verdict="truncated", accept="truncated" if whole else "",
            reason=f"{count - whole} of {count} pictures end before their pixels do, or hold more than their headers "
            "explain. Copy them again from their source" + ("; accepting truncated leaves them out." if whole else "."),
        ))  # fmt: skip
    if is_localiser(header):
        flaws.append(Flaw(
            verdict="localiser", accept="localiser",
            reason="A localiser only shows where other series were planned. Accepting localiser reads it all the same.",
        ))  # fmt: skip
    return flaws


def _can_scale(frame: Frame) -> bool:
    return all(isfinite(number) for number in frame.rescale) and frame.rescale[0] != 0


def _placed(frames: list[Frame]) -> tuple[Stack, Affine | None, list[Flaw]]:
    first = frames[0]
    spacing, orientation = first.spacing or (1.0, 1.0), first.orientation or ()
    found = stack(
        [frame.position or (0.0, 0.0, 0.0) for frame in frames], orientation=orientation,
        thickness_mm=first.thickness_mm, pixel_mm=min(spacing),
    )  # fmt: skip
    origin = frames[found.order[0]].position or (0.0, 0.0, 0.0)
    if first.spacing is None:
        return found, None, [Flaw(verdict="unsupported", reason="Its pictures do not say how large a pixel is in mm.")]
    try:
        affine = affine_of(origin, orientation=orientation, step=found.step, spacing=spacing)
    except GridError as error:
        return found, None, [Flaw(verdict="unsupported", reason=str(error))]
    return found, affine, list(found.flaws)


def _unplaced(frames: list[Frame]) -> list[Flaw]:
    header = frames[0].header
    modality = header.text(tags.MODALITY)
    if modality in ("CT", "MR", "PT") or len({frame.header.path for frame in frames}) > 1:
        return [Flaw(verdict="unsupported", reason="Its pictures do not say where in the body they lie.")]
    if modality not in _PLANAR and len(frames) > 1:
        return [Flaw(verdict="unsupported", reason=f"Frames of modality {modality or 'unknown'} without place.")]
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was seen of a series beside its header."""

    instances: tuple[Instance, ...]
    flaws: tuple[Flaw, ...]
    frames: tuple[Frame, ...] = ()
    shape: tuple[int, int, int] = (0, 0, 0)
    spacing: tuple[float, float, float] = (0.0, 0.0, 0.0)
    affine: Affine | None = None
    offsets: tuple[float, ...] = ()
    references: tuple[str, ...] = ()

    def series(self, header: Header, *, name: str, holder: object) -> Series:
        return Series(
            number=int(header.number(tags.SERIES_NUMBER, 0)),
            part=name,
            modality=header.text(tags.MODALITY) or "OT",
            sequence=role_of(header),
            verdict=self.flaws[0].verdict if self.flaws else "regular",
            reason=self.flaws[0].reason if self.flaws else "",
            flaws=self.flaws,
            shape=self.shape,
            spacing_mm=self.spacing,
            instances=self.instances,
            affine=self.affine,
            study_uid=header.text(tags.STUDY),
            series_uid=header.text(tags.SERIES),
            patient_id=header.text(tags.PATIENT_ID),
            sex=_sex(header.text(tags.PATIENT_SEX)),
            age_years=_age(header.text(tags.PATIENT_AGE)),
            scanner=" ".join(filter(None, (header.text(tags.MANUFACTURER), header.text(tags.MODEL)))),
            frames=self.frames,
            offsets=self.offsets,
            references=self.references,
            holder=holder,
        )


def _found(frames: list[Frame], *, flaws: list[Flaw], built: Stack | None, affine: Affine | None) -> _Found:
    """Return what pictures of one volume come to."""
    first = frames[0]
    flat = first.spacing if first.spacing and first.in_mm else (float("nan"), float("nan"))
    return _Found(
        instances=tuple(
            Instance(
                path=frame.header.path,
                frame=frame.index,
                sop_uid=frame.header.text(tags.SOP_INSTANCE),
                position=frame.position,
            )
            for frame in frames
        ),
        flaws=tuple(flaws),
        frames=tuple(frames),
        shape=(len(frames), *first.shape),
        spacing=affine.spacing if affine else (float("nan"), *flat),
        affine=affine,
        offsets=built.offsets if built else (),
    )


def _age(text: str) -> float | None:
    """Return years from an age string such as "064Y", "018M" (PS3.5 6.2)."""
    share = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}.get(text[-1:])
    return float(text[:-1]) * share if share and text[:-1].isdigit() else None


def _sex(told: str) -> str:
    """Return F, M or O (PS3.3 C.7.1.1); anything else that a site writes there is not repeated."""
    return told if told in ("F", "M", "O") else ""
