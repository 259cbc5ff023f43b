"""``python -m service`` is ``thaw``."""

from service.cli import main

main(prog_name="thaw")
