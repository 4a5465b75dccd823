"""Layouts of NIfTI files that a dataset.json describes: imagesTr, labelsTr, imagesTs, labelsTs."""
