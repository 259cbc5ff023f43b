"""What ``dramatiq service.worker:broker`` imports: it configures the process, and declares the actors."""

import os

import actors.campaign_transitions
import actors.deliveries
import actors.transitions
from actors.broker import broker as _broker
from service.logs import set_up_logs
from service.settings import read_settings
from service.wiring import connect

__all__ = ["actors", "broker"]


def broker() -> object:
    """Configure this process from its environment and return the broker; Dramatiq calls this in each worker process."""
    settings = read_settings(os.environ)
    set_up_logs(settings)
    connect(settings, name="thaw worker").runtime.committer.start()
    return _broker
