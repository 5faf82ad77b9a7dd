"""Compares two commits: base and head are measured in turn, in one run on one machine."""
