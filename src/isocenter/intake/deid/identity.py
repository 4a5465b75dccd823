"""Who is named in a file: the words that must be nowhere in what comes out."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from isocenter.dicom.elements.element import Element
from isocenter.dicom.elements.text import decode_text

NAME, PATIENT_ID, BIRTH_DATE, ISSUER = 0x00100010, 0x00100020, 0x00100030, 0x00100021
_CHARSET = 0x00080005
# of one person, or of a place that leads to one; with what they are called where they are found
_NAMING = {
    PATIENT_ID: "id", 0x00101000: "id", 0x00101002: "id", 0x00080050: "number", 0x00200010: "number",
    0x00401001: "number", 0x00400009: "number", 0x00380010: "number", 0x00321064: "number",
    BIRTH_DATE: "date", 0x00101040: "place", 0x00102154: "telephone", 0x00080080: "place", 0x00080081: "place",
    0x00081040: "place", 0x00081010: "place", 0x00102152: "place", 0x00102150: "place",
}  # fmt: skip
_LEAST = 3  # letters of a word that is searched for; fewer are found everywhere by chance
_LEAST_CJK = 2
_LEAST_WHOLE = 5  # characters of a number or place
_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile("[\u3400-\u9fff\uac00-\ud7af\u3040-\u30ff]")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file says of persons and places.

    Args:
        patient: What tells the patient from every other: issuer and number, or name and date of birth.
        person: Name and date of birth, to see whether two numbers are one person; empty where one of them is missing.
        strings: Text to its kind: "name", "id", "number", "date", "telephone" or "place".
        searched: What must not be met anywhere: every word of a name, and the rest as a whole, where long enough.
    """

    patient: str
    person: str
    strings: dict[str, str]
    searched: frozenset[str]

    def is_met_in(self, text: str) -> bool:
        """Return whether a text holds any of it, as a word or words of their own; Chinese anywhere."""
        if text.isascii() and _first_words(self.searched).isdisjoint(word.lower() for word in _WORD.findall(text)):
            return False  # nearly every text: to make a pattern takes as long as all else that is done with a file
        pattern = _pattern(self.searched)
        return pattern is not None and pattern.search(text) is not None


NOBODY = Identity(patient="", person="", strings={}, searched=frozenset())
"""Of a file that names no one."""


@lru_cache(maxsize=256)
def _first_words(searched: frozenset[str]) -> frozenset[str]:
    """Return the first word of each string, in lower case; what has no word names nobody."""
    words = (_WORD.search(one) for one in searched)
    return frozenset(found[0].lower() for found in words if found is not None)


@lru_cache(maxsize=256)
def _pattern(searched: frozenset[str]) -> re.Pattern[str] | None:
    if not searched:
        return None
    longest_first = sorted(searched, key=len, reverse=True)
    return re.compile("|".join(map(_bounded, longest_first)), re.IGNORECASE)


def _bounded(one: str) -> str:
    """Return a pattern that finds a string, but not the inside of a longer word; Chinese is written without gaps."""
    if _CJK.search(one):
        return re.escape(one)
    return rf"(?<![^\W_]){re.escape(one)}(?![^\W_])"


def _searched(strings: dict[str, str]) -> frozenset[str]:
    names = {word for text, kind in strings.items() if kind == "name" for word in _WORD.findall(text)}
    whole = {text for text, kind in strings.items() if len(text) >= _LEAST_WHOLE or kind == "name"}
    return frozenset(one for one in names | whole if is_telling(one))


def is_telling(word: str) -> bool:
    """Return whether a word is long enough not to be met by chance."""
    return len(word) >= (_LEAST_CJK if _CJK.search(word) else _LEAST)


def identity_in(strings: dict[str, str]) -> Identity:
    """Return whom texts name that stand in no header; text to its kind, as in Identity."""
    return Identity("", "", strings, _searched(strings))


def patient_numbered(number: str) -> str:
    """Return what tells a patient from every other where only a number is known: as of a header without an issuer."""
    return f"id:\0{number}"


def identity_of(elements: list[Element]) -> Identity:
    """Return whom a data set names, at any level; private attributes are not understood and not read."""
    strings: dict[str, str] = {}
    first: dict[int, str] = {}
    charset = next((decode_text(one.value, "") for one in elements if one.tag == _CHARSET), "")
    for element, kind, depth in _naming(elements, 0):
        text = decode_text(element.value, charset)
        if depth == 0:
            first.setdefault(element.tag, text)
        strings |= dict.fromkeys(_spellings(text, kind), kind)
    return Identity(_patient(first), _person(first), strings, _searched(strings))


def _naming(elements: list[Element], depth: int) -> list[tuple[Element, str, int]]:
    """Return the elements that name somebody, with what they name them by, and how deep they lie."""
    found = []
    for element in elements:
        if element.items is not None:
            for item in element.items:
                found += _naming(item.elements, depth + 1)
        elif (element.vr == "PN" or element.tag in _NAMING) and element.value:
            found.append((element, "name" if element.vr == "PN" else _NAMING[element.tag], depth))
    return found


def _patient(first: dict[int, str]) -> str:
    if first.get(PATIENT_ID):
        return f"id:{first.get(ISSUER, '')}\0{first[PATIENT_ID]}"
    if first.get(NAME):
        return f"name:{_plain(first[NAME])}\0{first.get(BIRTH_DATE, '')}"
    return ""


def _person(first: dict[int, str]) -> str:
    name, birth = _plain(first.get(NAME, "").split("=")[0]), first.get(BIRTH_DATE, "")
    return f"{name}\0{birth}" if name and birth else ""


def _plain(name: str) -> str:
    return " ".join(_WORD.findall(name.casefold()))


def _spellings(text: str, kind: str) -> Iterator[str]:
    """Yield a value as others write it: a name's parts and orders, a date's usual forms."""
    if kind == "name":
        for one in text.split("\\"):
            yield from _names(one.split("="))
    elif kind == "date" and re.fullmatch(r"\d{8}", text):
        yield from date_spellings(text)
    elif text:
        yield from (one.strip() for one in text.split("\\") if one.strip())


def _names(groups: Iterable[str]) -> Iterator[str]:
    for group in groups:
        parts = [part.strip() for part in group.split("^") if part.strip()]
        yield from parts
        if len(parts) > 1:
            family, given = parts[:2]
            yield from (f"{family} {given}", f"{given} {family}", f"{family}, {given}", f"{family}{given}")


def date_spellings(digits: str) -> tuple[str, ...]:
    """Return the usual forms of a date given as YYYYMMDD."""
    year, month, day = digits[:4], digits[4:6], digits[6:]
    orders = (
        (year, month, day),
        (day, month, year),
        (month, day, year),
        (day, month, year[2:]),
        (month, day, year[2:]),
    )
    joined = (sign.join(order) for order in orders for sign in "-./")
    return (digits, f"{year}年{int(month)}月{int(day)}日", f"{year}年{month}月{day}日", *joined)
