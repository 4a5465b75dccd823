"""What a stranger's tests may use: bodies of known volume and the DICOM series they leave."""
