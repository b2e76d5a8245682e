"""Settings that only procurement knows: none yet; what the ranking weighs is a rule of the domain, not of a process."""
