"""Crafts on arrays: augmentation, restoration, registration. Arrays in, arrays out; they know no case."""
