"""Columns of tables that may not come in, since they bear identity by their name."""

import re

from isocenter.errors import LayoutError

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[\u4e00-\u9fff]+")
_IDENTITY = frozenset({
    "name", "names", "surname", "forename", "firstname", "lastname", "birth", "birthday", "birthdate", "dob",
    "address", "phone", "telephone", "email", "mrn", "accession", "ssn", "姓名", "生日", "出生", "出生日期", "电话",
    "地址", "身份证",
})  # fmt: skip
_OF_THINGS = frozenset({
    "class", "label", "finding", "findings", "diagnosis", "disease", "scanner", "device", "model", "hospital",
    "site", "structure", "organ", "series", "protocol", "dataset", "lab", "laboratory", "stain", "view",
})  # fmt: skip
"""Words beside which a "name" is not a person's."""


def require_no_identity(name: str) -> None:
    """Do nothing where a column speaks of no person.

    Raises:
        LayoutError: It does, by its name.
    """
    words = {word.lower() for word in _WORD.findall(name)}
    bearing = words & _IDENTITY
    if bearing and not (bearing <= {"name", "names"} and words & _OF_THINGS):
        raise LayoutError(
            f"The table has a column of {min(bearing)!r}, which bears identity. Take it out of the file; patients "
            "are told apart by the column 'patient', which becomes a keyed pseudonym."
        )
