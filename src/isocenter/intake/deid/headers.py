"""A DICOM file's data set without identity: every element, at every level, by the profile."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from isocenter.dicom.elements.element import Element, Item, in_order, text_of
from isocenter.dicom.elements.file import DicomFile, meta_of, uid_bytes
from isocenter.dicom.elements.text import TEXT, decode_text, encode_text, padded
from isocenter.dicom.files import tags
from isocenter.intake.deid.dummy import WORD, dummy_of
from isocenter.intake.deid.identity import NAME, PATIENT_ID, Identity, identity_of
from isocenter.intake.deid.method import method_elements
from isocenter.intake.deid.profile.profile import Action, Profile
from isocenter.intake.deid.profile.table import safe_private
from isocenter.intake.deid.pseudonyms import Pseudonyms, moved
from isocenter.intake.deid.words import cleaned, known_words

_READABLE = TEXT | {"AE", "CS", "UR"}
_SINGLE = frozenset({"LT", "ST", "UR", "UT"})  # a backslash in them is a letter like any other
_DATES = frozenset({"DA", "DT"})
_CONTENT = 0x0040A730
_OVERLAYS = 0x60


@dataclass(frozen=True, slots=True)
class Change:
    """What was done with one element.

    Args:
        path: Tags of the sequences around it.
        action: D, Z, X, U or C, as in the table.
        became: What stands there now, in a form to be shown; None where it was removed.
        why: Where it was not the table that asked for it.
    """

    path: tuple[int, ...]
    tag: int
    vr: str
    action: Action
    became: str | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A file without identity in its data set and meta information; its pixels are still what they were.

    Args:
        patient: The pseudonym that stands for the patient.
        identity: Whom the file named. It must not leave the vault.
    """

    file: DicomFile
    patient: str
    identity: Identity
    changes: tuple[Change, ...]


def clean_headers(file: DicomFile, *, profile: Profile, pseudonyms: Pseudonyms) -> Cleaned:
    """Return a file with every element treated as the profile says.

    Args:
        file: As read; it is not changed.
        profile: What to do with which attribute.
        pseudonyms: Of the project.
    """
    identity = identity_of(file.elements)
    patient = identity.patient or f"study:{file.text(tags.STUDY)}"
    pass_ = _Pass(
        profile=profile, pseudonyms=pseudonyms, identity=identity, patient=patient,
        sop_class=file.text(tags.SOP_CLASS), charset=file.text(tags.CHARACTER_SET),
    )  # fmt: skip
    elements = in_order([*pass_.data_set(file.elements, ()), *method_elements(profile)])
    instance = next((text_of(one.value) for one in elements if one.tag == tags.SOP_INSTANCE), "")
    meta = meta_of(syntax=file.syntax, sop_class=pass_.sop_class, instance=instance)
    whole = DicomFile(syntax=file.syntax, elements=elements, meta=meta)
    return Cleaned(file=whole, patient=pseudonyms.patient(patient), identity=identity, changes=tuple(pass_.changes))


@dataclass(slots=True, kw_only=True)
class _Pass:
    """One file's way through the profile."""

    profile: Profile
    pseudonyms: Pseudonyms
    identity: Identity
    patient: str
    sop_class: str
    charset: str
    changes: list[Change] = field(default_factory=list)

    def data_set(self, elements: Iterable[Element], path: tuple[int, ...]) -> list[Element]:
        """Return the elements of a data set, or of an item, that stay."""
        kept: list[Element] = []
        private: list[Element] = []
        for element in elements:
            if element.tag & 0xFFFF == 0:  # a group's length, retired, and wrong from here on
                continue
            if element.is_private:
                private.append(element)
                continue
            action = self.profile.action(element.tag, element.vr, sop_class=self.sop_class, within=_last(path))
            new = self._treated(element, action, path)
            if new is not None:
                kept.append(new)
        kept = self._without_bare_overlays(kept, path)
        return in_order([*kept, *self._private(private, path)]) if private else kept

    def _without_bare_overlays(self, elements: list[Element], path: tuple[int, ...]) -> list[Element]:
        """Return elements without what described an overlay whose pixels were removed."""
        if not any(one.tag >> 24 == _OVERLAYS for one in elements):
            return elements
        present = {element.tag for element in elements}
        bare = [one for one in elements if one.tag >> 24 == _OVERLAYS and one.tag & ~0xFFFF | 0x3000 not in present]
        for element in bare:
            self._note(element, "X", path, None, "its overlay was removed")
        return [element for element in elements if element not in bare] if bare else elements

    def _treated(self, element: Element, action: Action, path: tuple[int, ...], why: str = "") -> Element | None:
        if action == "K":
            return self._kept(element, path)
        if action == "X":
            self._note(element, action, path, None, why)
            return None
        if element.items is not None:
            return self._sequence(element, action, path)
        if action == "C":
            return self._cleaned(element, path, why)
        value = self._value(element, action)
        if value == element.value:
            return element
        self._note(element, action, path, decode_text(value, "") if element.vr in _READABLE | {"UI"} else "", why)
        return Element(element.tag, element.vr, value)

    def _value(self, element: Element, action: Action) -> bytes:
        """Return the value that D, Z or U puts in an element's place."""
        if element.tag in (PATIENT_ID, NAME):
            return padded(self.pseudonyms.patient(self.patient).encode())
        if element.tag in self.profile.site.replace:
            return encode_text(self.profile.site.replace[element.tag], self.charset)
        if action == "Z":
            return b""
        if element.vr == "UI":
            return self._uids(element)
        return dummy_of(element)

    def _uids(self, element: Element) -> bytes:
        found = text_of(element.value).split("\\")
        return uid_bytes("\\".join(self.pseudonyms.uid(uid.strip()) for uid in found))

    def _kept(self, element: Element, path: tuple[int, ...]) -> Element | None:
        """Return an element that the profile keeps: unless it names somebody whom the file names elsewhere."""
        if element.items is not None:
            return self._within(element, path)
        if (
            element.vr not in _READABLE
            or not element.value
            or (element.vr == "CS" and _is_term(text_of(element.value)))
        ):
            return element
        if not self.identity.is_met_in(decode_text(element.value, self.charset)):
            return element
        return self._cleaned(element, path, "it held a word that names somebody")

    def _cleaned(self, element: Element, path: tuple[int, ...], why: str = "") -> Element | None:
        new = self._clean_value(element)
        if not new:
            bare = self.profile.action_if_bare(element.tag, sop_class=self.sop_class, within=_last(path))
            return self._treated(element, bare, path, why or "nothing harmless was left of it")
        if new == bytes(element.value):
            return element
        self._note(element, "C", path, decode_text(new, self.charset), why)
        return Element(element.tag, element.vr, new)

    def _clean_value(self, element: Element) -> bytes:
        """Return a value of similar meaning that names no one; empty where there is none."""
        if element.vr == "TM":  # days are shifted, the time of day is not
            return bytes(element.value)
        if element.vr in _DATES:
            parts = decode_text(element.value, "").split("\\")
            days = self.pseudonyms.days(self.patient)
            found = [moved(part.strip(), days) for part in parts]
            return b"" if None in found else padded("\\".join(map(str, found)).encode())
        if element.vr in _READABLE and element.vr != "PN":
            text = decode_text(element.value, self.charset)
            parts = [text] if element.vr in _SINGLE else text.split("\\")
            kept = [self._clean_text(part, element.vr) for part in parts]
            return encode_text("\\".join(kept), self.charset) if any(kept) else b""
        return b""

    def _clean_text(self, text: str, vr: str) -> str:
        if vr != "CS":
            return cleaned(text, identity=self.identity.searched, more=self.profile.site.words)
        # a word of the standard, which has its place among others
        return WORD if self.identity.is_met_in(text) and not _is_term(text) else text

    def _sequence(self, element: Element, action: Action, path: tuple[int, ...]) -> Element:
        if action == "Z":
            self._note(element, action, path, "")
            return Element(element.tag, "SQ", items=[])
        if action == "D":
            self._note(element, action, path, "a dummy")
            return self._dummy_sequence(element)
        return self._within(element, path)

    def _within(self, element: Element, path: tuple[int, ...]) -> Element:
        inside = (*path, element.tag)
        items = [Item(self.data_set(item.elements, inside), item.is_open) for item in element.items or ()]
        return Element(element.tag, element.vr, b"", items, element.is_open)

    def _dummy_sequence(self, element: Element) -> Element:
        if element.tag == _CONTENT:
            items = [Item(_dummy_content())]
        else:
            items = [Item(self._dummies(item.elements)) for item in element.items or ()]
        return Element(element.tag, element.vr, b"", items, element.is_open)

    def _dummies(self, elements: Iterable[Element]) -> list[Element]:
        """Return a data set of the same form that says nothing."""
        found = []
        for element in elements:
            action = self.profile.action(element.tag, element.vr, sop_class=self.sop_class, within=_CONTENT)
            if element.is_private or element.tag & 0xFFFF == 0 or action == "X":
                continue
            if element.items is not None:
                found.append(self._dummy_sequence(element))
            elif action == "Z":
                found.append(Element(element.tag, element.vr))
            elif element.vr == "UI":
                found.append(Element(element.tag, "UI", self._uids(element)))
            elif element.vr in TEXT | _DATES | {"TM", "AE", "AS", "UR", "UN", "OB"} or not _says_nothing(element):
                found.append(Element(element.tag, element.vr, dummy_of(element)))
            else:
                found.append(element)
        return found

    def _private(self, elements: list[Element], path: tuple[int, ...]) -> list[Element]:
        """Return the private elements that are known to be safe, with the creators of their blocks."""
        creators = {element.tag: text_of(element.value) for element in elements if 0x10 <= element.tag & 0xFFFF <= 0xFF}
        kept: dict[int, Element] = {}
        for element in elements:
            block = element.tag & 0xFFFF0000 | (element.tag >> 8 & 0xFF)
            creator = creators.get(block, "")
            if element.tag in creators or not self._is_safe(element, creator):
                continue
            new = self._treated(element, self.profile.by_kind(element.tag, element.vr), path)
            if new is not None:
                kept |= {element.tag: new, block: Element(block, "LO", padded(creator.encode("ascii", "replace")))}
        for element in elements:
            if element.tag not in kept:
                self._note(element, "X", path, None)
        return list(kept.values())

    def _is_safe(self, element: Element, creator: str) -> bool:
        if element.tag in self.profile.site.keep:
            return True
        key = (element.tag >> 16, element.tag & 0xFF, creator)
        return self.profile.keeps_safe_private and key in safe_private()

    def _note(self, element: Element, action: Action, path: tuple[int, ...], became: str | None, why: str = "") -> None:
        self.changes.append(Change(path, element.tag, element.vr, action, became, why))


def _last(path: tuple[int, ...]) -> int:
    return path[-1] if path else 0


def _says_nothing(element: Element) -> bool:
    """Return whether a value is a number, or a word of the standard's own."""
    return element.vr != "CS" or _is_term(text_of(element.value))


def _is_term(text: str) -> bool:
    """Return whether a code string is made of words that are known."""
    words = re.split(r"[\\_ ]", text.casefold())
    return all(word in known_words() or word.isdigit() for word in words if word)


def _dummy_content() -> list[Element]:
    """Return a content item of a structured report that says nothing (PS3.3 C.17.3)."""
    name = [
        Element(0x00080100, "SH", b"121106"), Element(0x00080102, "SH", b"DCM "),
        Element(0x00080104, "LO", b"Comment "),
    ]  # fmt: skip
    return [
        Element(0x0040A010, "CS", b"CONTAINS"), Element(0x0040A040, "CS", b"TEXT"),
        Element(0x0040A043, "SQ", items=[Item(name)]), Element(0x0040A160, "UT", WORD.encode()),
    ]  # fmt: skip
