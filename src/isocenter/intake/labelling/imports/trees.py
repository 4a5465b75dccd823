"""XML from strangers: parsed without entities, which may blow up or read files."""

from xml.etree import ElementTree

from isocenter.errors import FileError


def parsed(content: bytes, *, name: str) -> ElementTree.Element:
    """Return the root of an XML document, names of elements without their namespace.

    Raises:
        FileError: No XML, or one that declares a document type.
    """
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise FileError(f"{name} declares a document type, which labels do not need. Take it out of the file.")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise FileError(f"{name} is no XML ({error}).") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
