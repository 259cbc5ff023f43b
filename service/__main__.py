"""``thaw``, and ``python -m service``: the command line, with a Ctrl-C that is quiet from the first moment on."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from service.cli import main as thaw  # takes most of a second, and Ctrl-C may come meanwhile

        thaw(prog_name="thaw")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
