"""Brings the response log of another system into a world of its own: which column means what is a map file."""
