"""``thaw``, and ``python -m service``: the command line, with a Ctrl-C that is quiet from the first moment on."""

import sys


def main() -> None:
    """Run the command line."""
    if sys.flags.optimize > 1 and {"-h", "--help"} & {*sys.argv}:
        sys.stderr.write("thaw: PYTHONOPTIMIZE=2 takes away most of what help says: unset it to read help\n")
    try:
        from service.cli import main as thaw  # takes most of a second, and Ctrl-C may come meanwhile

        thaw(prog_name="thaw")
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        # Help is printed before any command runs that would end in a sentence.
        from service.cli.app import UNAVAILABLE, drop_unwritten

        drop_unwritten()
        sys.stderr.write(f"thaw: {error.strerror or error}\n")
        sys.exit(UNAVAILABLE)


if __name__ == "__main__":
    main()
