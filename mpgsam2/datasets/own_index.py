"""`sentences.json`, the index of your own data: {CLIP: [{"sentence": "the red dog", "objects": [1]}, …], …}."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mpgsam2.datasets.names import checked_name
from mpgsam2.datasets.pictures import VOID
from mpgsam2.datasets.video import Sentence, plain_sentence
from mpgsam2.errors import InputError

INDEX = "sentences.json"


def read_index(root: Path) -> dict[str, tuple[Sentence, ...]]:
    """Return the sentences of every clip, in the order of the file.

    Args:
        root: the folder of `sentences.json`.

    Raises:
        InputError: it cannot be read, or something in it cannot be meant; the sentence tells where.
    """
    try:
        clips = json.loads((root / INDEX).read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except OSError as error:
        raise InputError(f"“{INDEX}” cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"“{INDEX}” is not in UTF-8: save it in that encoding.") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"“{INDEX}” is not JSON (line {error.lineno}, column {error.colno}: {error.msg}): correct it there."
        ) from error
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"“{INDEX}” is not JSON: correct it.") from error
    if not isinstance(clips, dict):
        raise InputError(f"“{INDEX}” does not hold a JSON object of clips: write {{CLIP: [SENTENCE, …], …}}.")
    sentences = {checked_name(name, "clip", INDEX): _sentences(name, entries) for name, entries in clips.items()}
    if not any(sentences.values()):
        raise InputError(f"“{INDEX}” holds no sentence: write at least one.")
    return sentences


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, in which no name may stand twice: of two lists of sentences one would be lost."""
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"“{INDEX}” holds “{twice}” twice in one place: write it once, with all that belongs to it.")
    return values


def _sentences(clip: str, entries: Any) -> tuple[Sentence, ...]:
    if not isinstance(entries, list):
        raise InputError(f"“{INDEX}” has no list of sentences for the clip “{clip}”.")
    return tuple(_sentence(clip, number, entry) for number, entry in enumerate(entries))


def _sentence(clip: str, number: int, entry: Any) -> Sentence:
    text, objects = (entry.get("sentence"), entry.get("objects")) if isinstance(entry, dict) else (None, None)
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"“{INDEX}” has no “sentence” as entry {number} of the clip “{clip}”.")
    if not isinstance(objects, list) or not all(type(i) is int and 0 < i < VOID for i in objects):
        raise InputError(
            f"“{INDEX}” has no list of “objects”, numbers from 1 to {VOID - 1}, as entry {number} of the clip “{clip}”."
        )
    return Sentence(str(number), plain_sentence(text), tuple(objects))
