"""Who operates the service, and why: the options of the commands that leave a trace of their own in the log."""

import os
import pwd
from collections.abc import Callable
from typing import TypeVar

import click

from service.cli.app import InputError
from service.cli.typed import OPERATOR, TEXT

T = TypeVar("T")


def by_option(command: Callable[..., T]) -> Callable[..., T]:
    """Add ``--by``: who does it."""
    text = "Who does it, for the log: ops:NAME. Default: os:USER, the user of this machine."
    return click.option("--by", type=OPERATOR, metavar="NAME", help=text)(command)


def reason_option(command: Callable[..., T]) -> Callable[..., T]:
    """Add ``--reason``: why."""
    return click.option("--reason", type=TEXT, help="Why; kept beside the log, for auditors to read.")(command)


def operator(by: str | None) -> str:
    """Return who operates, as the log names it."""
    if by:
        return f"ops:{by}"
    try:
        return f"os:{pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"os:{os.geteuid()}"


def required_reason(reason: str | None, example: str) -> str:
    """Return the *reason*.

    Raises
    ------
    InputError
        When none was given.
    """
    if reason is None:
        raise InputError(f"why? Say it with --reason, such as --reason '{example}': it stays beside the log for auditors")
    return reason
