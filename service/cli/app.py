"""What every command of the command line shares: the connection, the way to print, and errors as sentences."""

import os
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console

from actors.bell import BellUnavailableError
from migrations.runner import SchemaError
from models.database import ModelError
from service.calendars import CalendarError
from service.clocks import ClockError
from service.embedded import EmbeddedServerError
from service.logs import set_up_logs
from service.settings import Settings, SettingsError, read_settings
from service.wiring import Service, connect
from workflows.playbook_text import PlaybookError

T = TypeVar("T")

#: Exit statuses: the answer was no; the input was wrong; something that Thaw needs is not there.
REFUSED, BAD_INPUT, UNAVAILABLE = 1, 2, 3


class InputError(Exception):
    """What a person typed does not fit; the message says where, what, and what would be right."""


class App:
    """The process behind one call of ``thaw``; connects when it is first asked to."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)

    @cached_property
    def settings(self) -> Settings:
        """The settings of the environment."""
        settings = read_settings(os.environ)
        set_up_logs(settings)
        return settings

    def log_as_json(self) -> None:
        """Write log lines as JSON from here on, and let the processes that are started do the same."""
        self.settings = msgspec.structs.replace(self.settings, log="json")
        set_up_logs(self.settings)

    @cached_property
    def service(self) -> Service:
        """The connected service."""
        return connect(self.settings, name="thaw cli", redis_needed=False)

    @cached_property
    def unguarded(self) -> Service:
        """The connected service for what must work although people are back who were erased: it shows no personal data."""
        return connect(self.settings, name="thaw cli", erasures_checked=False, redis_needed=False)

    def print_json(self, value: Any) -> None:
        """Print one JSON object on a line of its own."""
        click.echo(msgspec.json.encode(value).decode())

    @property
    def on_terminal(self) -> bool:
        """Whether somebody watches."""
        return sys.stdout.isatty()


class Group(click.Group):
    """A group whose commands end in a sentence and a status instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (InputError, SettingsError, PlaybookError, CalendarError, ClockError) as error:
            _fail(ctx, BAD_INPUT, error)
        except (ModelError, SchemaError, BellUnavailableError, EmbeddedServerError) as error:
            _fail(ctx, UNAVAILABLE, error)
        except BrokenPipeError:
            # Whoever read our output, such as `head`, has seen enough; Python would complain once more while it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            _fail(ctx, UNAVAILABLE, f"{error.strerror or error}{where}")


def _fail(ctx: click.Context, status: int, error: object) -> None:
    click.echo(f"thaw: {error}", err=True)
    ctx.exit(status)


def json_option(command: Callable[..., T]) -> Callable[..., T]:
    """Add ``--json``: the answer as one JSON object on the last line."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(command)


def json_logs_option(command: Callable[..., T]) -> Callable[..., T]:
    """Add ``--json`` to a command that runs on and on: what it says is its log."""
    return click.option("--json", "as_json", is_flag=True, help="Write log lines as JSON, on a terminal too.")(command)


pass_app = click.make_pass_decorator(App)
