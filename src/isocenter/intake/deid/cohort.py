"""What only all files together show: one person under two numbers, two persons under one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

TWO_NUMBERS = "One person (name and date of birth) has several numbers, so several pseudonyms. Say in the source which."
TWO_PERSONS = (
    "Several persons (name and date of birth) have this number, so one pseudonym. Say in the source whose it is."
)


def doubtful_patients(numbers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return the pseudonyms under which persons are mixed up, or split, each with the reason.

    Args:
        numbers: Person (name and date of birth) and pseudonym, as they were met together.
    """
    patients_of: dict[str, set[str]] = defaultdict(set)
    persons_of: dict[str, set[str]] = defaultdict(set)
    for person, patient in numbers:
        patients_of[person].add(patient)
        persons_of[patient].add(person)
    found = {patient: TWO_PERSONS for patient, several in persons_of.items() if len(several) > 1}
    split = (patients for patients in patients_of.values() if len(patients) > 1)
    return {patient: TWO_NUMBERS for patients in split for patient in patients} | found
