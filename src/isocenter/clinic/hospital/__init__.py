"""What comes from the other machines of a hospital: nothing is asked for, and no port opened, unless a step says so."""
