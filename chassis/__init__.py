"""What every service stands on; it knows no event and no service. Promises: README.md."""
