"""`python -m tools.compatibility`."""

import sys

from tools.compatibility import main

sys.exit(main())
