"""Errors that reach a person.

VibescoreError
├── ConfigError      a setting is wrong: names the setting, where it came from, and the way out
├── StoreError       the local store cannot be read or written: names the file
├── BusyError        another sync holds the lock
└── PluginError      a plugin failed: names the plugin and the stage it failed in
"""


class VibescoreError(Exception):
    """Base of all errors of ours; its text is one plain sentence for a person."""


class ConfigError(VibescoreError):
    """A setting has no usable value."""


class StoreError(VibescoreError):
    """The local store is damaged, newer than this program, or cannot be written."""


class BusyError(VibescoreError):
    """Another sync is running."""


class PluginError(VibescoreError):
    """A plugin raised, or answered with something the hook does not allow.

    Only the type of the cause is shown: its text may quote a log.
    """

    def __init__(self, plugin: str, stage: str, what: str) -> None:
        super().__init__(f"plugin {plugin} failed to {stage}: {what}")
        self.plugin = plugin
        self.stage = stage
        self.what = what
