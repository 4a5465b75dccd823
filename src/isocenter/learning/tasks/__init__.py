"""What can be learnt: each task says how answers become numbers, how wrong they are, and how they are read back."""

from isocenter.learning.tasks.task import TASKS, Task, find_task

__all__ = ["TASKS", "Task", "find_task"]
