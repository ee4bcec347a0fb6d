"""Whether a sentence is understood, and that nobody is told how sure an answer is to one that is not."""

from __future__ import annotations

import numpy as np
import pytest

import mpgsam2
from mpgsam2 import InputError
from mpgsam2.checkpoint.tokenizer import quoted
from mpgsam2.export import verdict_record
from mpgsam2.export.description import Description
from mpgsam2.export.pipeline import check_request
from mpgsam2.inference.query import Query
from mpgsam2.inference.understanding import NAMELESS, doubt, warning
from mpgsam2.inference.verdict import conclude


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("the wombat", "word “wombat”"),
        ("a wizard", "word “wizard”"),
        ("the red wombat", "word “wombat”"),
        ("the wizard beside the red circle", "word “wizard”"),
        ("the red circle near a wombat", "word “wombat”"),
        ("the pinkish circle", "word “pinkish”"),
        ("a barking wombat", "words “barking” and “wombat”"),
        ("find the Hund", "word “hund”"),
        ("青い star", "word “青い”"),
        ("the 2 stars", "words “2” and “stars”"),
    ],
)
def test_unknown_words_that_name_are_told_and_nothing_is_claimed(
    model: mpgsam2.Segmenter, sentence: str, words: str
) -> None:
    unsure = doubt(model.tokenizer, sentence)
    assert unsure == f"I do not know the {words}"
    assert warning(model.tokenizer, sentence).startswith(f"{unsure} and go by the rest")
    for found in ([True, True], [True, False], [False, False]):
        verdict = conclude(found, [0.99, 0.99], doubt=unsure)
        told = verdict.summary
        assert told.startswith(f"{unsure}: ") and told.endswith("I cannot say how sure I am.")
        record = verdict_record(verdict)
        assert (record["present"], record["presence"], record["certainty"]) == (None, None, None)
        for text in (told, record["sentence"]):
            assert "%" not in text and "Found" not in text and "robably" not in text


@pytest.mark.parametrize(
    "sentence",
    [
        "the red circle",
        "Please, could you show me the red circle?",
        "the circle that's moving to the left",
        "I'd like the circle which doesn't move, thanks!",
        "there's a \u2b50\ufe0f star in the movie",
        "the big one",
        "moving left",
    ],
)
def test_words_that_never_name_leave_no_doubt(model: mpgsam2.Segmenter, sentence: str) -> None:
    assert doubt(model.tokenizer, sentence) is None


@pytest.mark.parametrize(
    "sentence", ["the", "don't", "find it", "show me the \U0001f415", "this is in the video", "it's there"]
)
def test_a_sentence_that_names_nothing_leaves_a_doubt(model: mpgsam2.Segmenter, sentence: str) -> None:
    assert doubt(model.tokenizer, sentence) == "The sentence names nothing that I know"


@pytest.mark.parametrize("sentence", ["Hund", "asdf qwerty", "青い星", "DROP TABLE", "{{7*7}}"])
def test_nothing_known_is_refused_before_any_work(model: mpgsam2.Segmenter, sentence: str) -> None:
    for queries in ([Query(sentence)], [Query("the red circle"), Query(sentence)]):
        with pytest.raises(InputError, match="I do not know"):
            check_request(model, queries)
    with pytest.raises(InputError, match="I do not know"):
        model.segment([np.zeros((8, 8, 3), np.uint8)], sentence)


def test_no_word_for_a_thing_or_its_look_is_nameless() -> None:
    from mpgsam2.nano.synthetic.colours import COLOURS
    from mpgsam2.nano.synthetic.shapes import SHAPES
    from mpgsam2.nano.synthetic.textures import TEXTURES
    from mpgsam2.nano.synthetic.words import EXTREME_ADJECTIVES, GENERIC_NOUNS, POSITION_ADJECTIVES, SIZES

    naming = {word for entry in (*SHAPES.values(), *COLOURS.values(), *TEXTURES.values()) for word in entry.words}
    naming |= {
        word for table in (EXTREME_ADJECTIVES, POSITION_ADJECTIVES, SIZES) for words in table.values() for word in words
    }
    assert not {*naming, *GENERIC_NOUNS} & NAMELESS


def test_many_and_long_words_are_cut_short() -> None:
    assert quoted(["a"]) == "“a”"
    assert quoted(["a", "b", "c"]) == "“a”, “b” and “c”"
    assert quoted(list("abcdefghi")) == "“a”, “b”, “c”, “d”, “e”, “f” and 3 more"
    assert quoted(["x" * 200]) == f"“{'x' * 39}…”"


def test_a_description_of_what_was_not_understood_does_not_say_found() -> None:
    assert Description("the wombat", 0, understood=False).sentence == "the wombat, not marked in 0 frames"
