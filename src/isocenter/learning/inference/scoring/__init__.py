"""How well answers for whole images are: rows, figures with their intervals, subgroups, and what validation fixes."""
