"""Where the published standards lie: beside the checkout, not inside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.house.small_tree import ROOT

STANDARDS = ROOT.parent / "shared" / "data" / "standards"


def _standard(*parts: str) -> Path:
    for root in (ROOT, *ROOT.parents[:3]):
        path = (root.parent / "shared" / "data" / "standards").joinpath(*parts)
        if path.is_file():
            return path
    reason = f"../shared/data/standards/{'/'.join(parts)} is not beside the checkout"
    if os.environ.get("REQUIRE_INFRA") == "1":
        pytest.fail(reason)
    pytest.skip(f"left out: {reason}")


@pytest.fixture(scope="session")
def cloud_event_schema() -> Path:
    """The JSON Schema of CloudEvents 1.0."""
    return _standard("cloudevents", "cloudevents.json")


@pytest.fixture(scope="session")
def asyncapi_schema() -> Path:
    """The JSON Schema of AsyncAPI 3.0.0."""
    return _standard("asyncapi", "3.0.0.json")
