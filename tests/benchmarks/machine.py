"""The machine that a run was made on: without it no figure means anything."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import psycopg
import redis


class Machine(NamedTuple):
    """What decides how fast things are here."""

    cpu: str
    cores: int
    memory_mb: int
    system: str
    python: str
    postgresql: str
    redis: str
    packages: dict[str, str]
    load: float
    """Processes that wanted to run during the last minute, before the benchmarks began: above 0.5, others were at work."""


def machine(database_url: str, redis_url: str) -> Machine:
    """Look at this machine and its servers."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    with redis.Redis.from_url(redis_url) as client:
        info = client.info("server")
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_mb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        postgresql=str(row[0]) if row else "",
        redis=" ".join(str(info[key]) for key in ("server_name", "valkey_version", "redis_version") if key in info),
        packages={name: version(name) for name in ("dramatiq", "redis", "sqlalchemy", "psycopg", "msgspec")},
        load=round(os.getloadavg()[0], 2),
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
