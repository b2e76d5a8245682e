"""The reference program: events on standard input as JSON lines, the answers on standard output as one JSON document."""

from __future__ import annotations

import json
import sys

from velocity.answers import answers
from velocity.reading import Unreadable, read


def main() -> int:
    """Answer about the log on standard input; 2 where it is no log."""
    try:
        log = read(sys.stdin)
    except Unreadable as why:
        print(why, file=sys.stderr)
        return 2
    json.dump(answers(log), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
