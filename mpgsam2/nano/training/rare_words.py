"""After training: words that it hardly met are read as common ones that mean the same in the drawn world.

In sentences of `things_prior` "moving" is 59 times as frequent as "running", and "dog" 200 times as "dogs". The rows of
rare words in the text table stay close to the noise that they began with, and a sentence that holds one is misread.
"""

from __future__ import annotations

import torch

from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.nano.drawings.nouns import GROUPS, NOUNS, plural_of
from mpgsam2.nano.synthetic.words import MANNERS, nouns_of

_MET = ("going", "goes", "animals", "vehicles", "people", "leaves")  # often enough; the last also as a verb


def common_words() -> dict[str, str]:
    """Return by rare word the common one as which it is read: "running" as "moving", "dogs" as "dog"."""
    read_as: dict[str, str] = {}
    for name in (*NOUNS, *GROUPS):
        read_as |= dict(zip((plural_of(name) or "").split(), nouns_of(name)[0].split(), strict=False))  # "ice creams"
    for participle, verb in (pair for pairs in MANNERS.values() for pair in pairs):
        read_as |= {participle: "moving", verb: "moves"}
    return {word: common for word, common in read_as.items() if word not in (*_MET, common)}


def read_as_common(model: Segmenter) -> None:
    """Give rare words the rows of the common ones, in place.

    Args:
        model: nano, with its own vocabulary.
    """
    tokenizer, table = model.tokenizer, model.network.beit3.text_embed.weight
    assert isinstance(tokenizer, WordTokenizer)
    pairs = (f"{rare} {common}" for rare, common in common_words().items())
    rows = torch.tensor([tokenizer.encode(pair)[1:-1] for pair in pairs if not tokenizer.unknown_words(pair)])
    with torch.no_grad():
        table[rows[:, 0]] = table[rows[:, 1]]
