"""The chain of a recipe: asked for by role, learnt on the training side alone, taken once for each case of a run."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import overload

from isocenter.case import Case
from isocenter.errors import InputError, IsocenterError, RecipeError
from isocenter.image import Volume
from isocenter.learning.inference.restoring import Lines, Restored, Said, lay, restore_case, restore_volumes
from isocenter.learning.training.aside import written_aside
from isocenter.learning.training.fingerprint import ORIENTATION
from isocenter.learning.training.fitted import PREPARED
from isocenter.learning.training.material import Loader
from isocenter.plugins import did_you_mean
from isocenter.processing.restoration import Chain, Restoration
from isocenter.recipe import Plan, Recipe
from isocenter.result import canonical
from isocenter.store.voxels import volume_from, volume_parts

SAID = "restoration.json"  # in a run's folder: what each step said of each case to learn from
_KEPT = "restored"


class Volumes(Sequence[Volume]):
    """Volumes that are read as they are asked for, and laid as a chain meets them; one is in memory at a time."""

    def __init__(self, loaders: Sequence[Callable[[], Volume]]) -> None:
        self._loaders = loaders

    def __len__(self) -> int:
        return len(self._loaders)

    @overload
    def __getitem__(self, place: int) -> Volume: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Volume]: ...
    def __getitem__(self, place: int | slice) -> Volume | Sequence[Volume]:
        if isinstance(place, slice):
            return Volumes(self._loaders[place])
        return lay(self._loaders[place](), orientation=ORIENTATION)


def asked_chains(recipe: Recipe, roles: Sequence[str]) -> dict[str, Chain]:
    """Return the chain that a recipe asks for of each role; roles that no line is for are left out.

    Args:
        recipe: What was asked.
        roles: Of the volumes that there are.

    Raises:
        RecipeError: A line for a role that there is not, a parameter that its step does not take, or a value of
            another kind; the message names the nearest known.
        NotFoundError, MissingExtraError: Nobody offers such a step, or it needs a package that is not installed.
    """
    lines: dict[str, list[Mapping[str, object]]] = {role: [] for role in roles}
    for line in recipe.restoration.steps:
        for role in line.get("volumes", roles):
            if role not in lines:
                raise RecipeError(f"restoration.steps speaks of {role!r}. {did_you_mean(role, list(roles))}")
            lines[role].append({key: value for key, value in line.items() if key != "volumes"})
    return {role: Chain.from_document(steps) for role, steps in lines.items() if steps}


def fit_chains(chains: Mapping[str, Chain], volumes: Callable[[str], Sequence[Volume]]) -> dict[str, Chain]:
    """Return chains with what their steps learn.

    Args:
        chains: By role.
        volumes: Gives those of a role, of cases to learn from and of no others.

    Raises:
        InputError: A step cannot learn from them; the message says why.
    """
    fitted = {}
    for role, chain in chains.items():
        try:
            fitted[role] = chain.fit(volumes(role)) if any(step.lacks for step in chain.steps) else chain
        except InputError as error:
            raise InputError(f"The steps for {role!r} cannot learn from the training side: {error}") from error
    return fitted


class Restorer:
    """Cases after their chains; each volume is restored once, and kept as a file while a run has need of it.

    Args:
        chains: By role, fitted.
        folder: Of the run; None keeps nothing.
    """

    def __init__(self, chains: Mapping[str, Chain], *, folder: Path | None = None) -> None:
        self.chains = chains
        self.seconds = 0.0
        self.said: dict[str, Said] = {}
        self.kinds: dict[str, tuple[str, str]] = {}
        self._folder = folder and folder / PREPARED / _KEPT

    def loader(self, load: Loader) -> Loader:
        """Return what loads a case and restores it; the same where there is nothing to do."""
        return partial(self._loaded, load) if self.chains else load

    def _loaded(self, load: Loader) -> Case:
        return self.restored(load())

    def restored(self, case: Case) -> Case:
        """Return a case after its chains.

        Raises:
            InputError: A step cannot treat a volume, or its values mean something else than those of cases before.
            TrainingError: The disk is full.
        """
        began = time.monotonic()
        try:
            self._require_kinds(case)
            kept = self._kept(case)
            restored = restore_volumes(case.volumes, self.chains, orientation=ORIENTATION) if kept is None else kept
            if kept is None:
                self._keep(case, restored)
            self.said[case.id] = restored.said
            return restore_case(case, restored)
        except IsocenterError as error:
            raise type(error)(f"Case {case.id}: {error}") from error
        finally:
            self.seconds += time.monotonic() - began

    def write(self, folder: Path) -> None:
        """Write what each step said of each case into a run's folder, whole or not at all.

        Raises:
            TrainingError: The disk is full.
        """
        if not self.chains:
            return
        content = canonical({"cases": self.said})
        with written_aside(folder / SAID, size=len(content)) as aside:
            aside.write_bytes(content)

    def _require_kinds(self, case: Case) -> None:
        for role, volume in case.volumes.items():
            kind = (volume.modality, volume.unit)
            if role in self.chains and self.kinds.setdefault(role, kind) != kind:
                raise InputError(
                    f"its {role!r} is {' in '.join(kind)}, that of other cases {' in '.join(self.kinds[role])}. "
                    "Make a data set of each."
                )

    def _path(self, case: Case, role: str) -> Path | None:
        if self._folder is None:
            return None
        named = canonical([case.id, role, self.chains[role].to_document()])
        return self._folder / f"{sha256(named).hexdigest()[:32]}.volume"

    def _keep(self, case: Case, restored: Restored) -> None:
        for role, way in restored.ways.items():
            path = self._path(case, role)
            if path is None:
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            told = canonical(list(way.said))
            with written_aside(path.with_suffix(".json"), size=len(told)) as aside:
                aside.write_bytes(told)
            with written_aside(path, size=way.volume.voxels.nbytes) as aside, aside.open("wb") as file:
                file.writelines(volume_parts(way.volume))

    def _kept(self, case: Case) -> Restored | None:
        """Return what was kept of a case; None where something of it was not."""
        ways = {}
        for role in (role for role in case.volumes if role in self.chains):
            path, before = self._path(case, role), case.volumes[role]
            if path is None or not path.is_file():
                return None
            said = json.loads(path.with_suffix(".json").read_bytes())
            ways[role] = Restoration(
                volume=volume_from(path.read_bytes()), said=tuple((name, told) for name, told in said),
                affine=before.affine, shape=before.shape,
            )  # fmt: skip
        after = {role: ways[role].volume if role in ways else volume for role, volume in case.volumes.items()}
        return Restored(ways=ways, volumes=after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was to be done to the cases of a run, before it was learnt how.

    Args:
        chains: By role, as the recipe asks.
        before: Of a prepared data set, by role: the steps that its volumes had gone through, and the unit before.
        cases: To learn from.
    """

    chains: Mapping[str, Chain]
    before: Mapping[str, tuple[Lines, str]]
    cases: int

    @property
    def learns(self) -> int:
        """How many steps are still to learn from a cohort."""
        return sum(bool(step.lacks) for chain in self.chains.values() for step in chain.steps)

    def reason(self, role: str) -> str:
        """Return why the volumes of a role go through what they go through."""
        done, chain = self.before.get(role, ((), ""))[0], self.chains.get(role, Chain())
        told = (
            [f"the data set was prepared by {'all' if not chain.steps else f'the first {len(done)}'}"] if done else []
        )
        told += ["as the recipe asks"] if chain.steps else []
        learning = [step.name for step in chain.steps if step.lacks]
        if learning:
            told.append(f"{' and '.join(learning)} learnt from the {self.cases} cases to learn from and no others")
        return "; ".join([*told, "taken before everything else, at reading too"])


def with_chains(plan: Plan, restorer: Restorer, *, asked: Asked) -> Plan:
    """Return a plan whose channels say what their images go through, each step as it was fitted, and why.

    Args:
        plan: As decided from restored cases.
        restorer: That restored them.
        asked: What it was made from.
    """
    reasons = dict(plan.reasons)
    channels = []
    for channel in plan.channels:
        role = channel.role
        done, unit = asked.before.get(role, ((), ""))
        lines = (*done, *restorer.chains.get(role, Chain()).to_document())
        if lines:
            came = unit or restorer.kinds[role][1]
            channel = replace(channel, restoration=lines, unit=came)
            reasons[f"restoration.steps ({role})"] = asked.reason(role)
        channels.append(channel)
    return replace(plan, channels=tuple(channels), reasons=reasons)
