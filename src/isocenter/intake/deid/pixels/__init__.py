"""What is written in pixels: found, blanked, and every other pixel left as it was."""
