"""Settings that only forecast has: none yet; how far it reaches is named in its domain."""
