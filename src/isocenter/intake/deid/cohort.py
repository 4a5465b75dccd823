"""What only all files together show: one person under two numbers, two persons under one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from isocenter.intake.deid.treated import Treated

TWO_NUMBERS = "One person (name and date of birth) has several numbers, so several pseudonyms. Say in the source which."
TWO_PERSONS = (
    "Several persons (name and date of birth) have this number, so one pseudonym. Say in the source whose it is."
)


def doubtful_patients(files: Iterable[Treated]) -> Mapping[str, str]:
    """Return the pseudonyms under which persons are mixed up, or split, each with the reason."""
    numbers: dict[str, set[str]] = defaultdict(set)
    persons: dict[str, set[str]] = defaultdict(set)
    for file in files:
        if file.person:
            numbers[file.person].add(file.patient)
            persons[file.patient].add(file.person)
    found = {patient: TWO_PERSONS for patient, several in persons.items() if len(several) > 1}
    split = (patients for patients in numbers.values() if len(patients) > 1)
    return {patient: TWO_NUMBERS for patients in split for patient in patients} | found
