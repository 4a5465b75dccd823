"""Data sets written as folders that others read. Importing this room loads no image library."""

WRITERS = {
    "nnunet": "isocenter.intake.layouts.writing.nnunet:write",
    "bids": "isocenter.intake.layouts.writing.bids:write",
    "pictures": "isocenter.intake.layouts.writing.pictures:write",
}
"""Forms by name, as in LAYOUTS; each is a function (order, folder) that returns what it wrote."""
