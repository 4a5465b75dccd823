"""A second look at what is to leave, with other means than those that cleaned it."""
