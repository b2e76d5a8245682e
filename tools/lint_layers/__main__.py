"""Run the rules over the working folder, or over the folder named as the only argument."""

import sys
from pathlib import Path

from tools.lint_layers import lint


def main() -> int:
    """Print every finding; answer 1 when there is one."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    findings = lint(root)
    for finding in findings:
        print(finding)
    print(f"lint_layers: {len(findings)} finding(s)" if findings else "lint_layers: every room is in order")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
