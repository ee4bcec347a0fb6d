"""Whether a model understands what a sentence names, and how a user is told if it does not.

A word that the vocabulary lacks matters where it may name or describe something: of "the dog" nothing is left to go by.
Words that never do, such as "please", are listed here; a model's own vocabulary says which of all others it knows.
"""

from __future__ import annotations

from mpgsam2.inference.tokenizer import Tokenizer, quoted

_GRAMMAR = """
    a an the this that these those which who whom whose what where there here when while
    i me my you your we us our he him his she her it its they them their
    is are was were be been being am do does did done has have had can could will would shall should may might must
    and but so then if also too just only not than of in into on at to with for from by as about
    s t isnt doesnt dont thats theres whats wheres
"""
_REQUESTS = """
    find show segment mark track follow highlight select detect locate point look see watch give tell want need like let
    mean get try help please kindly thanks thank hello hi hey ok okay very quite really now
"""
_THE_CLIP = "video clip picture scene image frame frames film movie footage screen camera view"

NAMELESS = frozenset(f"{_GRAMMAR} {_REQUESTS} {_THE_CLIP}".split())
"""English words that neither name nor describe an object, lower case: grammar, requests, politeness, and the clip."""


def doubt(tokenizer: Tokenizer, expression: str) -> str | None:
    """Return what of a sentence was not understood, if that leaves open what it names.

    Returns:
        A clause such as "I do not know the word “dog”"; None if every word that may name something is known, and at
        least one is there.
    """
    unknown = [word for word in tokenizer.unknown_words(expression) if word not in NAMELESS]
    if unknown:
        return _unknown(unknown)
    if not set(tokenizer.known_words(expression)) - NAMELESS:
        return "The sentence names nothing that I know"
    return None


def warning(tokenizer: Tokenizer, expression: str) -> str | None:
    """Return the sentence that tells a user which of their words the model does not know; None if it knows them all."""
    words = tokenizer.unknown_words(expression)
    return f"{_unknown(words)} and go by the rest of the sentence: other words may serve better." if words else None


def _unknown(words: list[str]) -> str:
    return f"I do not know the {'words' if len(words) > 1 else 'word'} {quoted(words)}"
