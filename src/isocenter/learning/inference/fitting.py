"""Whether images are what a model has learnt to read, and what it then says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from isocenter.case.role import is_other_role
from isocenter.errors import InputError
from isocenter.image import Mask, Volume
from isocenter.learning.inference.restoring import Said
from isocenter.learning.inference.trial import Choice
from isocenter.models.model import Model
from isocenter.recipe import Channel, Plan
from isocenter.result import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a model said of a case: outlines, or answers for the whole image.

    Args:
        mask: On the own grid of the case's first volume; None where the model answers for the whole image.
        answers: One for each target; empty where it outlines.
        seconds: By stage: "restoration" where the model has steps for it, "prepare", "network", and for outlines
            "choose", "blend", "label" and "restore".
        said: What the steps before everything else said of the case, by role; empty where the model has none.
        choice: In which runtime and with which windows it was read; None where it answers for the whole image.
    """

    mask: Mask | None = None
    answers: tuple[Answer, ...] = ()
    seconds: Mapping[str, float]
    choice: Choice | None = None
    said: Said = field(default_factory=dict)


def fitting(volumes: Mapping[str, Volume], model: Model) -> dict[str, Volume]:
    """Return the volumes that a model wants, by the roles of its plan.

    A modality that is not known ("OT", as from NIfTI) is taken as it comes; so is the only volume where its role names
    no other sequence, and a grey picture by a model of colour pictures, which shows it in three equal planes.

    Raises:
        InputError: A role is missing, or a volume is unlike what the model has learnt from: in colour, a picture where
            it reads stacks or a stack where it reads pictures, without a size where it reads millimetres, of another
            modality or unit.
    """
    roles = model.plan.roles
    if len(roles) == len(volumes) == 1:
        only = next(iter(volumes))
        if is_other_role(only, than=roles[0]):
            raise InputError(
                f"The model reads {roles[0]!r}, and this case has {only!r}: another sequence, of which it has seen "
                "none. Give it the one that it has learnt from."
            )
        volumes = {roles[0]: volumes[only]}
    missing = [role for role in roles if role not in volumes]
    if missing:
        raise InputError(
            f"The model reads {len(roles)} volume(s) at once, {', '.join(roles)}; {', '.join(missing)} is missing "
            f"among {', '.join(volumes) or 'nothing'}. Give one volume for each role."
        )
    for channel in model.plan.channels:
        _check_form(volumes[channel.role], channel, plan=model.plan)
        _check_size(volumes[channel.role], channel, model=model)
        _check_values(volumes[channel.role], channel)
    return {role: volumes[role] for role in roles}


def _check_form(volume: Volume, channel: Channel, *, plan: Plan) -> None:
    slices = volume.shape[0]
    if plan.dimensions == "2-D" and not volume.is_planar and slices > 1:
        raise InputError(
            f"The volume {channel.role!r} is a stack of {slices} slices; the model reads single pictures. "
            "Give it one slice as a picture, or train a model on stacks."
        )
    if plan.dimensions != "2-D" and plan.patch[0] > 1 and volume.is_planar:
        raise InputError(
            f"The image {channel.role!r} is a single picture; the model reads stacks of slices ({plan.dimensions}). "
            "Give it the whole stack, or train a model on pictures."
        )
    if volume.channels > channel.colours:
        raise InputError(
            f"The image {channel.role!r} is in colour; the model has learnt from one grey value a pixel. "
            "Give it the grey picture, or train a model on pictures in colour."
        )


def _check_size(volume: Volume, channel: Channel, *, model: Model) -> None:
    """Do nothing where a model that measures in mm can do so; the size of a whole picture that it answers for is free.

    Raises:
        InputError: It cannot.
    """
    whole_picture = model.plan.dimensions == "2-D" and not model.answers_voxels
    if channel.has_size and not volume.has_size and not whole_picture:
        raise InputError(
            f"Nobody has stated how large a pixel of {channel.role!r} is; the model has learnt from images whose size "
            "in mm is known, and would read this one at the wrong size. Give the file with its pixel spacing, such as "
            "the DICOM original."
        )


def _check_values(volume: Volume, channel: Channel) -> None:
    if "OT" not in {volume.modality, channel.modality} and volume.modality != channel.modality:
        raise InputError(
            f"The volume {channel.role!r} is {volume.modality}; the model has learnt from {channel.modality} only "
            "and would answer without meaning."
        )
    if "1" not in {volume.unit, channel.unit} and volume.unit != channel.unit:
        raise InputError(
            f"The volume {channel.role!r} is in {volume.unit}; the model has learnt from {channel.unit}. "
            "Convert the values first."
        )
