"""The wing of learning: tasks, training, and reading with what was learnt."""
