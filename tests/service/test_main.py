"""The entry of the command line."""

import sys
from types import SimpleNamespace

import pytest

from service.__main__ import main


def test_ctrl_c_is_quiet_even_before_the_command_line_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, and the status that a shell expects."""

    def interrupted(**_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "service.cli", SimpleNamespace(main=interrupted))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")
