"""One module per group of commands, each with a `register(app)`; the list is in cli/app.py."""
