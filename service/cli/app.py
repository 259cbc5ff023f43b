"""What every command of the command line shares: the connection, the way to print, and errors as sentences.

What connects is imported when somebody connects: not every command does, and it takes half a second.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from service.settings import Settings, read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from service.wiring import Service

T = TypeVar("T")

#: Exit statuses: the answer was no; the input was wrong; something that Thaw needs is not there.
REFUSED, BAD_INPUT, UNAVAILABLE = 1, 2, 3


class InputError(Exception):
    """What a person typed does not fit; the message says where, what, and what would be right."""


class App:
    """The process behind one call of ``thaw``; connects when it is first asked to."""

    @cached_property
    def console(self) -> "Console":
        """Where to print what is more than lines of text."""
        from rich.console import Console

        return Console(highlight=False)

    @cached_property
    def settings(self) -> Settings:
        """The settings of the environment."""
        settings = read_settings(os.environ)
        _set_up_logs(settings)
        return settings

    def log_as_json(self) -> None:
        """Write log lines as JSON from here on, and let the processes that are started do the same."""
        self.settings = msgspec.structs.replace(self.settings, log="json")
        _set_up_logs(self.settings)

    @cached_property
    def service(self) -> "Service":
        """The connected service."""
        from service.wiring import connect

        return connect(self.settings, name="thaw cli", redis_needed=False)

    @cached_property
    def unguarded(self) -> "Service":
        """The connected service for what must work although people are back who were erased: it shows no personal data."""
        from service.wiring import connect

        return connect(self.settings, name="thaw cli", erasures_checked=False, redis_needed=False)

    def print_json(self, value: Any) -> None:
        """Print one JSON object on a line of its own."""
        click.echo(msgspec.json.encode(value).decode())

    @property
    def on_terminal(self) -> bool:
        """Whether somebody watches."""
        return sys.stdout.isatty()


class OnDemand(MutableMapping[str, click.Command]):
    """Commands by name, each imported with its module when it is first asked for: all of them take most of a second."""

    def __init__(self, modules: Mapping[str, tuple[str, ...]]) -> None:
        self._module_of = {name: module for module, names in modules.items() for name in names}
        self._commands: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        """Return a command; its module names those that it has in ``COMMANDS``."""
        if name not in self._commands:
            module = self._module_of[name]
            found = {command.name: command for command in import_module(f"service.cli.{module}").COMMANDS}
            # A module may have commands of several groups.
            self._commands |= {each: command for each, command in found.items() if self._module_of.get(each) == module}
        return self._commands[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        """Add a command that is there."""
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        """Remove a command."""
        self._commands.pop(name, None)
        self._module_of.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._module_of | self._commands)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._module_of | self._commands)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a command of that name, and import nothing for it."""
        return name in self._module_of or name in self._commands


class Group(click.Group):
    """A group whose commands end in a sentence and a status instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever read our output, such as `head`, has seen enough; Python would complain once more while it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except OSError as error:
            drop_unwritten()
            where = f" ({error.filename})" if error.filename else ""
            _fail(ctx, UNAVAILABLE, f"{error.strerror or error}{where}")
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise  # click's own, which it ends in a sentence and a status by itself
        except Exception as error:
            from service.cli.statuses import answer_to

            answer = answer_to(error)
            if answer is None:
                raise
            _fail(ctx, *answer)


def _set_up_logs(settings: Settings) -> None:
    from service.logs import set_up_logs

    set_up_logs(settings)


def drop_unwritten() -> None:
    """Drop what cannot be written, such as to a full disk: Python would try again as it exits, and end with its own status."""
    if sys.stdout is None:
        return  # it was closed before we began
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
