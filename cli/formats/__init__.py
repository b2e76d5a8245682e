"""Readers of foreign files: pure functions from bytes to typed records; they talk to nobody."""
