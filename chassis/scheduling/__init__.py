"""Timers, the scheduler that fires them, and working calendars."""
