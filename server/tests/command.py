"""Runs ``vibescore-server`` with arguments, but by the clock that a file shows."""

import sys
from pathlib import Path

from launch import FileClock

from vibescore_server.cli import main

if __name__ == "__main__":
    clock = FileClock(Path(sys.argv.pop(1)))
    main(clock)
