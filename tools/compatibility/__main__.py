"""`python -m tools.compatibility`."""

import sys

from tools.compatibility import main

if __name__ == "__main__":
    sys.exit(main())
