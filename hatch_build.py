"""Extras: the other distributions (beside us in a checkout, by version in a release), and what the
conformance kit needs.
"""

import os
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

FOLDERS = {
    "vibescore-codex": "plugins/codex",
    "vibescore-every-code": "plugins/every_code",
    "vibescore-gemini": "plugins/gemini",
    "vibescore-server": "server",
}
EXTRAS = {
    "codex": ["vibescore-codex"],
    "every-code": ["vibescore-codex", "vibescore-every-code"],
    "gemini": ["vibescore-gemini"],
    "server": ["vibescore-server"],
    "all": list(FOLDERS),
    "testing": ["pytest>=9,<10"],
}


class CustomMetadataHook(MetadataHookInterface):
    """Fills in ``optional-dependencies``; VIBESCORE_RELEASE=1 makes a release of a checkout."""

    def update(self, metadata: dict[str, Any]) -> None:
        metadata["optional-dependencies"] = {
            extra: [self._requirement(name, metadata["version"]) for name in names]
            for extra, names in EXTRAS.items()
        }

    def _requirement(self, name: str, version: str) -> str:
        if name not in FOLDERS:
            return name
        folder = Path(self.root, FOLDERS[name]).resolve()
        if os.environ.get("VIBESCORE_RELEASE") == "1" or not folder.is_dir():
            return f"{name}=={version}"
        return f"{name} @ {folder.as_uri()}"
