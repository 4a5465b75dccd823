"""Faces in scans of heads: where the cranium is, and what lies in front of it and below."""
