"""Requests that were narrowed on purpose since a release: each finding with its issue, named in the changelog too."""

from __future__ import annotations

NARROWED: dict[str, str] = {}
"""By finding, as the comparison prints it: the number of the issue, and the reason in a sentence."""
