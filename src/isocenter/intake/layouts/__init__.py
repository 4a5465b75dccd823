"""Folders as people lay them out: recognised, and read case by case. Importing this room loads no image library."""

LAYOUTS = {
    "nnunet": "isocenter.intake.layouts.nifti.nnunet:LAYOUT",
    "msd": "isocenter.intake.layouts.nifti.msd:LAYOUT",
    "bids": "isocenter.intake.layouts.bids.layout:LAYOUT",
    "pictures": "isocenter.intake.layouts.pictures.layout:LAYOUT",
    "dicom": "isocenter.intake.layouts.dicom:LAYOUT",
}
"""In the order in which they are tried: the narrower first."""
