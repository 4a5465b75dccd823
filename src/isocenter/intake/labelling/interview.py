"""A reader is asked, level by level, until everything is said: which questions come, and what an answer means."""

from collections.abc import Callable
from dataclasses import dataclass

from isocenter.case import Asked, Level, Observation, Schema, Value
from isocenter.errors import InputError, LabelError

STOP = "stop"
"""The answer that ends a session; the case at hand is asked anew next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to a reader.

    Args:
        case: Number of the case in the reader's order, and of how many.
        text: What is asked.
        told: What may be answered.
        shown: Where the images of the case lie.
        wrong: Why the answer before could not be taken; empty where there was none.
    """

    case: tuple[int, int]
    text: str
    told: str
    shown: str
    wrong: str = ""


Ask = Callable[[Question], str]
"""Whom questions go to; an answer may be empty where a level is left open."""


class Stopped(Exception):  # noqa: N818 - no error: the reader has had enough for today
    """The reader ends the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """One case, one reader.

    Args:
        schema: What is asked.
        ask: Whom.
        case, shown: As of Question.
    """

    schema: Schema
    ask: Ask
    case: tuple[int, int]
    shown: str

    def hold(self) -> tuple[tuple[Observation, ...], float | None]:
        """Return what was seen, and how sure the reader is.

        Raises:
            Stopped: The reader said stop.
        """
        seen: list[Observation] = []
        for asked in self.schema.findings:
            if asked.is_whole:
                seen.append(self._observe(asked, asked.name))
                continue
            count = 0
            while self._is_there(asked, count):
                count += 1
                seen.append(self._observe(asked, asked.name if not asked.several else f"{asked.name} {count}"))
                if not asked.several:
                    break
        return tuple(seen), self._certainty()

    def _is_there(self, asked: Asked, count: int) -> bool:
        level = Level(name=asked.name, form="classes", words=("no", "yes"))
        text = f"Another {asked.name}?" if count else f"Is there a {asked.name}?"
        return self._answer(level, text, may_be_open=False) == "yes"

    def _observe(self, asked: Asked, name: str) -> Observation:
        answers = {level.name: self._answer(level, f"{name}: {level.name}?") for level in asked.levels}
        return Observation(
            finding=asked.name, levels={name: value for name, value in answers.items() if value is not None}
        )

    def _certainty(self) -> float | None:
        level = Level(name="certainty", form="number", unit="%", least=0, most=100)
        value = self._answer(level, "How sure are you?")
        return None if value is None else float(value) / 100

    def _answer(self, level: Level, text: str, *, may_be_open: bool = True) -> Value | None:
        """Ask until an answer can be taken; the first letters of a word will do."""
        wrong = ""
        while True:
            told = level.told + ("; empty leaves it open" if may_be_open else "")
            said = self.ask(Question(case=self.case, text=text, told=told, shown=self.shown, wrong=wrong)).strip()
            if said.lower() == STOP:
                raise Stopped
            if not said and may_be_open:
                return None
            try:
                return level.read(_whole_word(said, level))
            except (LabelError, InputError) as error:
                wrong = str(error)


def _whole_word(said: str, level: Level) -> str:
    meant = [word for word in level.words if word.lower().startswith(said.lower())] if said else []
    return meant[0] if len(meant) == 1 else said
