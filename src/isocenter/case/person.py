"""Patients who hold one and the same image are one person under two names, and stay together."""

from collections.abc import Iterable

from isocenter.case.dataset import Entry


def persons_of(entries: Iterable[Entry]) -> dict[str, str]:
    """Return patient to the person that they are: the first, in the order of names, of all who are linked by images.

    Two patients are linked by an image, to the bit, that both hold; and so on from there. Who shares none is a person
    of their own. Other pictures of one person under two names cannot be known from bytes.
    """
    leader: dict[str, str] = {}

    def head(patient: str) -> str:
        while leader[patient] != patient:
            leader[patient] = leader[leader[patient]]
            patient = leader[patient]
        return patient

    holder: dict[str, str] = {}
    for entry in entries:
        leader.setdefault(entry.patient, entry.patient)
        for digest in entry.volumes.values():
            first, second = sorted((head(entry.patient), head(holder.setdefault(digest, entry.patient))))
            leader[second] = first
    return {patient: head(patient) for patient in sorted(leader)}
