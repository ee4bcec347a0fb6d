"""Whether a network can learn from sentences: its vocabulary is given, and training adds no word to it."""

from __future__ import annotations

from collections.abc import Iterable

from mpgsam2.errors import InputError
from mpgsam2.inference.tokenizer import Tokenizer, quoted

_SHOWN_CHARACTERS = 60  # of a sentence that is refused


def check_sentences(texts: Iterable[str], tokenizer: Tokenizer) -> str | None:
    """Read all sentences once before training.

    Args:
        texts: the sentences.
        tokenizer: the network's.

    Returns:
        A sentence that names the words which the vocabulary does not know; None if it knows them all.

    Raises:
        InputError: a sentence holds no word or is too long; it is named.
    """
    unknown: dict[str, None] = {}
    for text in texts:
        try:
            tokenizer.encode(text)
        except InputError as error:
            raise InputError(f"“{text[:_SHOWN_CHARACTERS]}” cannot be learned from. {error}") from error
        unknown |= dict.fromkeys(tokenizer.unknown_words(text))
    if not unknown:
        return None
    return (
        f"The vocabulary of the start does not know {quoted(list(unknown))}; training adds no words, so the sentences "
        "are learned without."
    )
