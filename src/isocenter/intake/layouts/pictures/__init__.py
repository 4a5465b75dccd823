"""Pictures with a table beside them, or in a folder for each class."""
