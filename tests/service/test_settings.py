"""Settings come from the environment, and a wrong one is named."""

from pathlib import Path

import pytest

from service.settings import SettingsError, environment, masked, read_settings


def test_settings_survive_the_way_to_another_process() -> None:
    told = {"THAW_DATABASE_URL": "postgresql://ann:secret@db/thaw", "THAW_WORKER_THREADS": "8", "THAW_LOG": ""}
    settings = read_settings(told)
    assert (settings.worker_threads, settings.log) == (8, "auto")
    assert settings == read_settings(environment(settings))


def test_a_home_with_a_clock_in_it_lives_by_it(tmp_path: Path) -> None:
    """Whoever opens a demonstration again must not bring the time of the wall into it, unless he names another clock."""
    told = {"THAW_HOME": str(tmp_path)}
    assert "" == read_settings(told).clock_file
    (tmp_path / "clock").write_text("2026-01-05T15:00:00+00:00")
    assert str(tmp_path / "clock") == read_settings(told).clock_file
    assert "/elsewhere" == read_settings({**told, "THAW_CLOCK_FILE": "/elsewhere"}).clock_file


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "THAW_DATABSE_URL",
            "postgresql://db/thaw",
            r"is no setting of Thaw; did you mean THAW_DATABASE_URL\?",
        ),
        ("THAW_DATABASE_URL", "mysql://ann:secret@db/thaw", r"must start with postgresql://, got 'mysql://ann:\*\*\*@db/thaw'"),
        ("THAW_DATABASE_URL", "postgresql://db:port/thaw", "THAW_DATABASE_URL is no address: .*'port'"),
        ("THAW_DATABASE_URL", "postgresql://[::1/thaw", "THAW_DATABASE_URL is no address: Invalid IPv6 URL"),
        ("THAW_REDIS_URL", "redis://127.0.0.1:1x", "THAW_REDIS_URL is no address: .*'1x'"),
        ("THAW_WORKER_THREADS", "many", "THAW_WORKER_THREADS='many': "),
        ("THAW_WORKER_THREADS", "0", "THAW_WORKER_THREADS='0': Expected `int` >= 1"),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_right(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read_settings({name: value})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:secret@db:5432/thaw", "postgresql://ann:***@db:5432/thaw"),
        ("redis://:secret@db/0", "redis://:***@db/0"),
        ("redis://db/0", "redis://db/0"),
        ("/var/lib/thaw", "/var/lib/thaw"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert shown == masked(url)


def test_a_home_of_an_unknown_user_is_named() -> None:
    with pytest.raises(SettingsError, match="THAW_HOME='~nosuchuser/thaw': Could not determine home directory"):
        _ = read_settings({"THAW_HOME": "~nosuchuser/thaw"}).home_path
