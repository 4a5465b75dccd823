"""What can be learnt: each task says how answers become numbers, how wrong they are, and how they are read back."""

from isocenter.learning.tasks.task import TASKS, ImageTask, Task, VoxelTask, find_task

__all__ = ["TASKS", "ImageTask", "Task", "VoxelTask", "find_task"]
