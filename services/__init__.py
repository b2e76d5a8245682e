"""The eight services; each a house of the same rooms."""
