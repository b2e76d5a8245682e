"""`python -m cli` and the installed `crossdock`."""

from __future__ import annotations

import sys

from cli.app import run


def main() -> None:
    """Run the command and end with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
