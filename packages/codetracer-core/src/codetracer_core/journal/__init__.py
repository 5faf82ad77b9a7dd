"""The journal: what a session writes while the program runs, and how it is read back."""
