"""The published standards that our documents are held to; they lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.records import shared_file


@pytest.fixture(scope="session")
def cloud_event_schema() -> Path:
    """The JSON Schema of CloudEvents 1.0."""
    return shared_file("data/standards/cloudevents/cloudevents.json")


@pytest.fixture(scope="session")
def asyncapi_schema() -> Path:
    """The JSON Schema of AsyncAPI 3.0.0."""
    return shared_file("data/standards/asyncapi/3.0.0.json")
