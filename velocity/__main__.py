"""The reference program: events on standard input as JSON lines, the answers on standard output as JSON, one a line.

An empty line ends a log; the next one is answered by a document of its own.
"""

from __future__ import annotations

import json
import sys

from velocity.answers import answers
from velocity.event_log import Unreadable, logs, read


def main() -> int:
    """Answer each log of standard input; 2 where it is no log."""
    try:
        for lines in logs(sys.stdin):
            print(json.dumps(answers(read(lines))), flush=True)
    except Unreadable as why:
        print(why, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
