"""How hypothesis explores, in all our tests."""

import os

from hypothesis import HealthCheck, settings


def load_profile() -> None:
    """For every test of this session."""
    settings.register_profile(
        "vibescore",
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize="CI" in os.environ,  # a gate asks the same of every change; others explore
    )
    settings.load_profile("vibescore")
