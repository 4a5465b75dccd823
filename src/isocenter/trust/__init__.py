"""What makes a result one that can be believed: comparison, and whatever else says how sure it is."""
