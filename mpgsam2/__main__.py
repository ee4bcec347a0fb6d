"""`python -m mpgsam2 …`"""

from __future__ import annotations

import sys

from mpgsam2.cli import main

if __name__ == "__main__":
    sys.exit(main())
