"""From a folder to cases: what it is laid out as, what is in it, and what is wrong with it."""
