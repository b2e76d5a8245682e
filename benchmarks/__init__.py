"""Measurements: calibration first, then what Crossdock is held to, beside it."""
