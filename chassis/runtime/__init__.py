"""Process, settings, log, metrics, trace and clock of a running service."""
