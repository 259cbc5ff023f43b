"""The status with which a command ends on an error that we know. Imported when there is one, for all that this imports."""

from actors.bell import BellUnavailableError
from migrations.runner import SchemaError
from models.database import ModelError
from service.calendars import CalendarError
from service.cli.app import BAD_INPUT, UNAVAILABLE, InputError
from service.clocks import ClockError
from service.embedded import EmbeddedServerError
from service.settings import SettingsError
from workflows.playbook_text import PlaybookError


def status_of(error: Exception) -> int | None:
    """Return the exit status for *error*, None for one that should have been a sentence before it came here."""
    match error:
        case InputError() | SettingsError() | PlaybookError() | CalendarError() | ClockError():
            return BAD_INPUT
        case ModelError() | SchemaError() | BellUnavailableError() | EmbeddedServerError():
            return UNAVAILABLE
    return None
