"""What a model's images go through before anything else, and the way back for what is found in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.case import Case
from isocenter.errors import InputError
from isocenter.image import Mask, Volume
from isocenter.learning.inference.clock import Clock
from isocenter.processing.restoration import Chain, Restoration
from isocenter.recipe import Plan

Lines = Sequence[Mapping[str, Any]]
Said = Mapping[str, tuple[tuple[str, Mapping[str, float | str]], ...]]
"""By role, of each step in order: its name, and what it said."""

_SAME = 1e-6  # of a step: an affine turned there and back differs by rounding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restored:
    """Volumes after the chains of their roles.

    Args:
        ways: By role, of the volumes that a chain is for: the new one, what was said, and the way back.
        volumes: By role, of all.
    """

    ways: Mapping[str, Restoration]
    volumes: Mapping[str, Volume]

    @property
    def said(self) -> Said:
        """What the steps said, of the roles that have a chain."""
        return {role: way.said for role, way in self.ways.items()}


def chains_of(plan: Plan, *, done: Mapping[str, Lines] | None = None) -> dict[str, Chain]:
    """Return what is still to be done to a case's volumes by a plan, by role; roles without anything are left out.

    Args:
        plan: Whose channels say what its images go through.
        done: What the volumes have gone through already, by role, as a prepared data set says; None is nothing.

    Raises:
        InputError: The volumes have gone through something else.
        NotFoundError, MissingExtraError: A step comes from a package that is not installed here; without it the model
            cannot be used.
        RecipeError: A step has other parameters here than where the plan was made.
    """
    done = done or {}
    if len(plan.channels) == len(done) == 1:  # as in fitting: the only volume is taken whatever its role is called
        done = dict(zip(plan.roles, done.values(), strict=True))
    chains = {}
    for channel in plan.channels:
        lines, before = list(channel.restoration), list(done.get(channel.role, ()))
        if lines[: len(before)] != before:
            raise InputError(
                f"The volumes {channel.role!r} of these cases were prepared by {_named(before)}; the model has learnt "
                f"from volumes after {_named(lines)}. Use the data set as it was before it was prepared."
            )
        if lines[len(before) :]:
            chains[channel.role] = Chain.from_document(lines[len(before) :])
    return chains


def restore_volumes(volumes: Mapping[str, Volume], chains: Mapping[str, Chain], *, orientation: str) -> Restored:
    """Return volumes after the chains of their roles; those that no chain is for are handed on as they are.

    Args:
        volumes: By role.
        chains: By role, fitted.
        orientation: That stacks are laid towards before the first step, as the plan says, so that "slice", "row" and
            "column" mean the same however a series was stored; what comes out lies as what went in.

    Raises:
        InputError: A step cannot treat a volume; the message says why.
        RecipeError: A chain has not been fitted.
    """
    ways = {role: _way(volume, chains[role], orientation) for role, volume in volumes.items() if role in chains}
    after = {role: ways[role].volume if role in ways else volume for role, volume in volumes.items()}
    if len(after) > 1:
        _require_places(ways)
    return Restored(ways=ways, volumes=after)


def lay(volume: Volume, *, orientation: str) -> Volume:
    """Return a stack with its axes laid towards an orientation, its voxels in that order in memory; a picture as it is.

    Sums depend in their last bit on the order of what they add, and so would what a step does.
    """
    if volume.is_planar:
        return volume
    turned = volume.oriented(orientation)
    return replace(turned, voxels=np.ascontiguousarray(turned.voxels))


def _way(volume: Volume, chain: Chain, orientation: str) -> Restoration:
    done = chain.restore(lay(volume, orientation=orientation))
    after = lay(done.volume, orientation=volume.affine.orientation)
    if after.shape == volume.shape and after.affine.is_close(
        volume.affine, shape=volume.shape, tolerance_mm=_SAME * min(volume.affine.spacing)
    ):
        after = replace(after, affine=volume.affine)
    return Restoration(volume=after, said=done.said, affine=volume.affine, shape=volume.shape)


def restored_by(
    chains: Mapping[str, Chain], volumes: Mapping[str, Volume], *, orientation: str, clock: Clock
) -> Restored:
    """Return volumes after their chains, timed as the stage "restoration" where there is any: see restore_volumes.

    Raises:
        InputError, RecipeError: See restore_volumes.
    """
    if not chains:
        return Restored(ways={}, volumes=volumes)
    with clock.stage("restoration"):
        return restore_volumes(volumes, chains, orientation=orientation)


def restore_case(case: Case, restored: Restored) -> Case:
    """Return a case with its volumes restored; its outlines go along with its first volume, on which they lie."""
    way = restored.ways.get(next(iter(case.volumes)))
    if way is None:
        return replace(case, volumes=restored.volumes)
    annotations = tuple(replace(one, mask=take_along(one.mask, way)) for one in case.annotations)
    return replace(case, volumes=restored.volumes, annotations=annotations)


def take_along(mask: Mask, way: Restoration) -> Mask:
    """Return a mask on the grid that a chain has made; the mask itself where the grid has stayed."""
    return mask if _stays(way) else way.take_along(mask)


def bring_back(mask: Mask, way: Restoration) -> Mask:
    """Return a mask of the grid that a chain has made, on the volume's own; itself where the grid has stayed."""
    return mask if _stays(way) else way.bring_back(mask)


def _stays(way: Restoration) -> bool:
    return way.volume.affine is way.affine or (
        way.volume.shape == way.shape and np.array_equal(way.volume.affine.matrix, way.affine.matrix)
    )


def _require_places(ways: Mapping[str, Restoration]) -> None:
    """Do nothing where it is known how the volumes of a case lie to each other.

    Raises:
        InputError: Pictures without a size lie pixel on pixel, and one of them has been cut.
    """
    for role, way in ways.items():
        if not way.volume.has_size and not _stays(way):
            raise InputError(
                f"Nobody has stated how large a pixel of {role!r} is, so that pictures of one case lie pixel on pixel; "
                "a step that cuts one of them would part them. Leave it out, or give the size of a pixel."
            )


def _named(lines: Lines) -> str:
    return ", ".join(str(line["step"]) for line in lines) or "no step"
