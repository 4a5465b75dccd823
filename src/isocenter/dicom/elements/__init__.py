"""A DICOM file as the elements that it is made of, byte for byte, to be changed and written again."""
