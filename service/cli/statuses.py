"""The status and the sentence with which a command ends on an error that we know.

Imported when there is one, for all that this imports.
"""

from actors.bell import BellUnavailableError
from migrations.runner import SchemaError
from models.database import ModelError
from service.calendars import CalendarError
from service.cli.app import BAD_INPUT, REFUSED, UNAVAILABLE, InputError
from service.clocks import ClockError
from service.embedded import EmbeddedServerError
from service.settings import SettingsError
from service.wording import plain
from workflows.events import UnreadableEventError
from workflows.fold import FoldError
from workflows.playbook_text import PlaybookError


def answer_to(error: Exception) -> tuple[int, str] | None:
    """Return the exit status and the sentence for *error*; None for one that should have been a sentence before."""
    match error:
        case InputError() | SettingsError() | PlaybookError() | CalendarError() | ClockError():
            return BAD_INPUT, str(error)
        case ModelError() | SchemaError() | BellUnavailableError() | EmbeddedServerError():
            return UNAVAILABLE, str(error)
        case UnreadableEventError() | FoldError():
            return REFUSED, f"the log cannot be folded: {plain(str(error), 300)}. Run `thaw verify`"
    return None
