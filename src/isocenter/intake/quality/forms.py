"""What the images of a data set are like, told once for all of them: colour and grey, depths, pictures and stacks."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from isocenter.case import Case
from isocenter.image import Volume
from isocenter.intake.issue import Issue


@dataclass(frozen=True, slots=True)
class Form:
    """What one volume is like.

    Args:
        colours: 1 or 3.
        deep: Its values need more than 8 bits.
        is_planar: A picture, not a stack.
    """

    role: str
    colours: int
    deep: bool
    is_planar: bool


def forms_of(case: Case) -> list[Form]:
    """Return what the volumes of a case are like."""
    return [_form(role, volume) for role, volume in case.volumes.items()]


def _form(role: str, volume: Volume) -> Form:
    return Form(role, volume.channels, volume.voxels.dtype.itemsize > 1, volume.is_planar)


def check_forms(forms: Iterable[Form], *, name: str) -> Iterator[Issue]:
    """Yield where pictures of one role are unlike each other; learning goes on, somebody should know.

    Args:
        forms: Of every volume of the data set.
        name: Of the data set.
    """
    counts = Counter(forms)
    for role in dict.fromkeys(form.role for form in counts):
        mine = {form: count for form, count in counts.items() if form.role == role}
        if not any(form.is_planar for form in mine):
            continue
        for words, parts in (
            ("in colour|in grey", _parted(mine, lambda form: form.colours == 3)),
            ("of more than 8 bits|of 8 bits", _parted(mine, lambda form: form.deep)),
            ("stacks of slices|single pictures", _parted(mine, lambda form: not form.is_planar)),
        ):
            if min(parts) > 0:
                one, other = words.split("|")
                yield Issue(
                    check="pictures alike", where=f"{name} ({role})", figure=f"{parts[0]} {one}, {parts[1]} {other}",
                    limit="pictures of one kind",
                    mend="Look whether the kind goes with the label: a network would learn that instead.",
                    severity="warn",
                )  # fmt: skip


def _parted(counts: Mapping[Form, int], is_one: Callable[[Form], bool]) -> tuple[int, int]:
    """Return how many volumes are of one kind, and how many are not."""
    one = sum(count for form, count in counts.items() if is_one(form))
    return one, sum(counts.values()) - one
