"""Values that mean nothing, valid for their kind (PS3.5 table 6.2-1)."""

from isocenter.dicom.elements.element import Element

WORD = "ANON"
_PADDED = {
    "AE": b"ANON", "AS": b"000Y", "CS": b"ANON", "DA": b"19000101", "DS": b"0 ", "DT": b"19000101000000", "IS": b"0 ",
    "LO": b"ANON", "LT": b"ANON", "PN": b"ANON", "SH": b"ANON", "ST": b"ANON", "TM": b"000000", "UC": b"ANON",
    "UR": b"http://anon.invalid ", "UT": b"ANON",
}  # fmt: skip
DUMMIES = frozenset(value.decode("ascii").strip() for value in _PADDED.values())
"""Texts that say nothing, without padding."""
_ZEROS = {
    "AT": 4, "FD": 8, "FL": 4, "OB": 2, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "SL": 4, "SS": 2, "SV": 8,
    "UL": 4, "UN": 2, "US": 2, "UV": 8,
}  # fmt: skip
_ENCAPSULATED = 0x00420011


def dummy_of(element: Element) -> bytes:
    """Return a value of an element's kind that says nothing; of a UID or a sequence there is none."""
    if element.tag == _ENCAPSULATED:
        return _blank_pdf() if bytes(element.value[:5]) == b"%PDF-" else b"\0\0"
    return _PADDED.get(element.vr) or bytes(_ZEROS[element.vr])


def _blank_pdf() -> bytes:
    """Return a PDF of one empty page."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
    )  # fmt: skip
    whole, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, start=1):
        places.append(len(whole))
        whole += b"%d 0 obj%b endobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(whole)
    whole += b"xref\n0 4\n0000000000 65535 f \n" + table
    whole += b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
    return whole + b"\n" * (len(whole) % 2)
