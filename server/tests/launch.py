"""Runs a server as ``vibescore-server run`` does, but by the clock that a file shows."""

import sys
from dataclasses import dataclass
from pathlib import Path

from vibescore_server.serve import serve
from vibescore_server.settings import load_settings


@dataclass(frozen=True)
class FileClock:
    """Shows what the file says, in every process."""

    file: Path

    def __call__(self) -> float:
        return float(self.file.read_text())


if __name__ == "__main__":
    serve(load_settings(), now=FileClock(Path(sys.argv[1])))
