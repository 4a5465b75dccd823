"""Data sets in BIDS, the Brain Imaging Data Structure: images by subject and session, outlines as derivatives."""
