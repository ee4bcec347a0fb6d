"""The command line: `mpgsam2 …` and `python -m mpgsam2 …`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line with the process's own arguments; see `mpgsam2.cli.main` for the exit code."""
    try:
        from mpgsam2.cli import main as command_line  # here, because Ctrl-C may come while it is imported
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return command_line()


if __name__ == "__main__":
    sys.exit(main())
