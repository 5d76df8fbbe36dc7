"""Commands that other distributions add: entry-point group ``vibescore.commands``."""

import importlib
from importlib.metadata import entry_points
from pathlib import Path

import click

from vibescore.errors import ConfigError
from vibescore.snapshot import installation, remembered

GROUP = "vibescore.commands"


def installed_commands(home: Path) -> dict[str, str]:
    """Name and place (``module:attribute``) of each; looking them up takes long, so the answer is
    kept until something is installed or removed.
    """
    answer = remembered(home / "commands.snapshot.json", installation(), _look_up)
    return {str(name): str(place) for name, place in answer.items()}


def _look_up() -> dict[str, str]:
    return {each.name: each.value for each in entry_points(group=GROUP)}


def load_command(name: str, place: str) -> click.Command:
    """The command. Raises ConfigError when it cannot be used."""
    module, _, attribute = place.partition(":")
    try:
        command = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"'vibescore {name}' comes from {module}, which cannot be imported: install it again"
        ) from error
    if not isinstance(command, click.Command):
        raise ConfigError(f"'vibescore {name}' names {place}, which is no command")
    return command
