"""Settings that only collaboration has: none yet; limits of lists are named in its domain."""
