"""All checks of a plugin that reads logs."""

from vibescore.testing.counting import CountingChecks
from vibescore.testing.damage import DamageChecks
from vibescore.testing.finding import FindingChecks
from vibescore.testing.growing import GrowingChecks
from vibescore.testing.privacy import PrivacyChecks


class SourceContract(FindingChecks, CountingChecks, GrowingChecks, DamageChecks, PrivacyChecks):
    """Checks of a plugin that reads logs, on sample logs of its tool.

    ``home`` is a folder with samples as they lie in a user's home directory. ``expected`` has the
    rows that `vibescore export` must print for them, one JSON object a line; lines that begin with
    ``#`` say how they were reckoned. ``foreign`` names samples that are not this plugin's (patterns
    of paths below the home). ``reasoning_beside_output`` says that the tool counts reasoning and
    the like outside its output, so that there is no normal form (Gemini, COL-06).
    """
