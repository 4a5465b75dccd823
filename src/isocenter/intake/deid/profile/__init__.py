"""What is done with each attribute: PS3.15 table E.1-1 as data, its options, and what a site adds."""
