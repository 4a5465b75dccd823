"""Text that stands in pictures: where it is, and what it says, by readers of different make."""

from collections.abc import Mapping

READERS: Mapping[str, str] = {
    "rapidocr": "isocenter.processing.text.rapid:RapidReader",
    "tesseract": "isocenter.processing.text.tesseract:TesseractReader",
}
