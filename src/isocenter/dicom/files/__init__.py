"""What stands in a DICOM file: tags, a header read fast or with patience, and whether it can be believed."""
