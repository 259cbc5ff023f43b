"""``thaw``, and ``python -m service``: the command line, with a Ctrl-C that is quiet from the first moment on."""

import os
import sys

#: Something outside is in the way, as `service.cli.statuses` has it.
_UNAVAILABLE = 3


def main() -> None:
    """Run the command line."""
    try:
        from service.cli import main as thaw  # takes most of a second, and Ctrl-C may come meanwhile

        thaw(prog_name="thaw")
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        # Help is printed before any command runs. What could not be written Python would try to write again as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.write(2, f"thaw: {error.strerror or error}\n".encode())
        sys.exit(_UNAVAILABLE)


if __name__ == "__main__":
    main()
