"""JSON files of a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mpgsam2.errors import InputError


def read_json_object(path: Path, name: str) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Args:
        path: the file.
        name: what a refusal calls it.

    Raises:
        InputError: there is no such file, it cannot be read, is not JSON, or holds something else.
    """
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"“{name}” is missing: give the data set as it was released.") from None
    except OSError as error:
        raise InputError(f"“{name}” cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"“{name}” is not JSON, or not the whole of it: download it again.") from error
    if not isinstance(values, dict):
        raise InputError(f"“{name}” does not hold a JSON object: download it again.")
    return values
