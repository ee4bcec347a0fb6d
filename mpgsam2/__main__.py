"""`python -m mpgsam2 …`"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        from mpgsam2.cli import main  # here, because Ctrl-C may come while it is imported
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)
    sys.exit(main())
