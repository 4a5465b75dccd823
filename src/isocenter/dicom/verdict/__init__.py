"""Which pictures make one volume, and what is wrong with those that do not, in mm."""
