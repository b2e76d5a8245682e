"""A pretend world that only uses the public services: a small network, its carriers, and people who answer tasks.

Everything here is simulated, seeded, and called so wherever it shows.
"""
