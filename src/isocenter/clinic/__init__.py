"""What leaves for the clinic: reports."""
