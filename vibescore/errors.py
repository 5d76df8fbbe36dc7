"""Errors that reach a person.

VibescoreError
├── ConfigError      a setting is wrong: names the setting, where it came from, and the way out
├── StoreError       the local store cannot be read or written: names the file
├── BusyError        another sync holds the lock
├── LinkError        this computer was not linked to a server: says why
├── PluginError      a plugin failed: names the plugin and the stage it failed in
└── UploadError      the server was not reached, or did not take what was sent
    ├── Retryable    it may go well later, and the server may have said when
    ├── Rejected     the server refuses this request, or one row of it, for good
    └── Unauthorized the server does not know the device token (any more)
"""


class VibescoreError(Exception):
    """Base of all errors of ours; its text is one plain sentence for a person."""


class ConfigError(VibescoreError):
    """A setting has no usable value."""


class StoreError(VibescoreError):
    """The local store is damaged, newer than this program, or cannot be written."""


class BusyError(VibescoreError):
    """Another sync is running."""


class LinkError(VibescoreError):
    """Linking ended without a link."""


class PluginError(VibescoreError):
    """A plugin raised, or answered with something the hook does not allow.

    Only the type of the cause is shown: its text may quote a log.
    """

    def __init__(self, plugin: str, stage: str, what: str) -> None:
        super().__init__(f"plugin {plugin} failed to {stage}: {what}")
        self.plugin = plugin
        self.stage = stage
        self.what = what


class UploadError(VibescoreError):
    """A request to the server failed. ``status`` is that of HTTP and ``code`` the server's own word
    for it, where there are any. Never holds a token.
    """

    def __init__(self, what: str, *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(what)
        self.status = status
        self.code = code


class Retryable(UploadError):
    """Not now. ``retry_after`` are the seconds that the server asked for, ``soon`` says whether
    trying once more within seconds makes sense (QUE-05).
    """

    def __init__(
        self,
        what: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        soon: bool = True,
    ) -> None:
        super().__init__(what, status=status, code=code)
        self.retry_after = retry_after
        self.soon = soon


class Rejected(UploadError):
    """Refused as it is. ``row`` is the place of the row in the batch that ``field`` is wrong in,
    None when it is not about a row.
    """

    def __init__(
        self,
        what: str,
        *,
        status: int,
        code: str | None = None,
        row: int | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(what, status=status, code=code)
        self.row = row
        self.field = field


class Unauthorized(UploadError):
    """The device token is not valid."""
