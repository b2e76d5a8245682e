"""What the services say to each other, written down from the code that says it."""
