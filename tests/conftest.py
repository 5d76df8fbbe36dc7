"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support import Computer

settings.register_profile(
    "vibescore",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,  # a gate asks the same of every change; others explore
)
settings.load_profile("vibescore")


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """A computer with an empty home."""
    return Computer(tmp_path)
