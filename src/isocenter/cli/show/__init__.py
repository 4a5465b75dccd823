"""What a person reads: tables and sentences made from a step's public document, a file for each wing."""
