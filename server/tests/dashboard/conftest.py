"""Fixtures of all tests here; ``looking`` has them, for there is another module of this name."""

from looking import look, noon, server

__all__ = ["look", "noon", "server"]
