"""RT structure sets: contours in mm as masks."""
