"""What stands for what in one project: UIDs, patients and days, the same in every file, of no use to a stranger."""

import base64
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from isocenter.security.keyed import Keyed

_STANDARD_ROOT = "1.2.840.10008."
_PATIENT_BYTES = 10  # 80 bits: a million patients share a pseudonym with a chance below 1 in 10^12
# as before DICOM (ACR-NEMA), which PS3.5 table 6.2-1 still allows to be read
_DOTTED = re.compile(r"\d{4}\.\d{2}\.\d{2}")
_DATE = re.compile(r"(\d{4})(?:(\d{2})(?:(\d{2}))?)?((?:(?<=\d{8})\d{2,6}(?:\.\d{1,6})?)?(?:[+-]\d{4})?)")
_LEAST_DAYS, _MOST_DAYS = 366, 3650


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Keyed names of one project.

    Args:
        keyed: The project's own secret.
    """

    keyed: Keyed

    def uid(self, uid: str) -> str:
        """Return the UID that stands for one, of the form 2.25.…; those of the standard itself stay."""
        return uid if not uid or uid.startswith(_STANDARD_ROOT) else _uid(self.keyed, uid)

    def patient(self, identity: str) -> str:
        """Return the word that stands for a patient: 16 letters and digits."""
        return base64.b32encode(self.keyed.code("patient", identity)[:_PATIENT_BYTES]).decode()

    def text(self, kind: str, text: str) -> str:
        """Return a short word that stands for a text, such as an accession number."""
        return base64.b32encode(self.keyed.code(kind, text)[:5]).decode()

    def days(self, identity: str) -> int:
        """Return by how many days a patient's dates are moved: back, one year to ten, the same for all of them."""
        code = int.from_bytes(self.keyed.code("days", identity)[:8], "big")
        return -(_LEAST_DAYS + code % (_MOST_DAYS - _LEAST_DAYS + 1))


@lru_cache(maxsize=1 << 12)
def _uid(keyed: Keyed, uid: str) -> str:
    raw = bytearray(keyed.code("uid", uid)[:16])
    raw[6] = raw[6] & 0x0F | 0x80  # RFC 9562: a UUID of version 8, of the common variant
    raw[8] = raw[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(raw, 'big')}"


def moved(value: str, days: int) -> str | None:
    """Return a date (DA) or date and time (DT) moved by days, as precise as it was; None where it is no date.

    The time of day and the zone stay. A year alone, or a year and month, is moved from its middle.
    """
    found = _DATE.fullmatch(value.replace(".", "") if _DOTTED.fullmatch(value) else value)
    if found is None:
        return None
    year, month, day, rest = found.groups()
    try:
        new = date(int(year), int(month or 7), int(day or 15)) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    precise = 4 + 2 * bool(month) + 2 * bool(day)
    return new.strftime("%Y%m%d")[-8:].rjust(8, "0")[:precise] + rest
