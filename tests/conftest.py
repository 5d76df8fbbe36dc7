"""What every test may ask for."""

from pathlib import Path

import pytest
from exploring import load_profile
from support import Computer

load_profile()


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """A computer with an empty home."""
    return Computer(tmp_path)
