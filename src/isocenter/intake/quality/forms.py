"""What the images of a data set are like, told once for all of them: colour and grey, depths, pictures and stacks."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from isocenter.intake.issue import Issue
from isocenter.intake.quality.figures import Figures


@dataclass(frozen=True, slots=True)
class _Form:
    role: str
    colours: int
    is_deep: bool
    is_planar: bool


def check_forms(figures: Iterable[Figures], *, name: str) -> Iterator[Issue]:
    """Yield where pictures of one role are unlike each other; learning goes on, somebody should know.

    Args:
        figures: Of every volume of the data set.
        name: Of the data set.
    """
    counts = Counter(_Form(one.role, one.colours, one.is_deep, one.is_planar) for one in figures)
    for role in dict.fromkeys(form.role for form in counts):
        mine = {form: count for form, count in counts.items() if form.role == role}
        if not any(form.is_planar for form in mine):
            continue
        for words, parts in (
            ("in colour|in grey", _parted(mine, lambda form: form.colours == 3)),
            ("of more than 8 bits|of 8 bits", _parted(mine, lambda form: form.is_deep)),
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


def _parted(counts: Mapping[_Form, int], is_one: Callable[[_Form], bool]) -> tuple[int, int]:
    """Return how many volumes are of one kind, and how many are not."""
    one = sum(count for form, count in counts.items() if is_one(form))
    return one, sum(counts.values()) - one
