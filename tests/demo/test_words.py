"""The help with words: what the model knows, and what it does not, before any run."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect
from visitor import Visit

from mpgsam2 import Segmenter
from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.demo.vocabulary_help import SENTENCES, _part
from mpgsam2.nano.synthetic.word_groups import word_groups
from mpgsam2.nano.synthetic.words import SHAPE_VOCABULARY, VOCABULARY


@pytest.mark.parametrize("vocabulary", [SHAPE_VOCABULARY, VOCABULARY, ("circle", "the", "left")])
def test_groups_hold_what_a_vocabulary_can_say_and_nothing_else(vocabulary: tuple[str, ...]) -> None:
    tokenizer, groups = WordTokenizer(vocabulary), word_groups(vocabulary)
    for phrases in groups.values():
        assert phrases and len(set(phrases)) == len(phrases)
        assert not any(tokenizer.unknown_words(phrase) for phrase in phrases)
    assert groups["Shapes"][0] == "circle"
    assert ("Animals" in groups) == ("dog" in vocabulary) == ("bouncing" in groups.get("Movement", ()))


def test_of_a_published_model_there_are_sentences_of_each_kind(model: Segmenter) -> None:
    published = _part(SimpleNamespace(name="large-<b>", tokenizer=object()), hidden=True)
    assert 'data-words=""' in published and "large-&lt;b&gt;" in published and " hidden" in published
    assert all(sentence in published for sentences in SENTENCES.values() for sentence in sentences)
    assert "data-sentence" not in _part(model, hidden=False)


def test_words_are_put_in_and_unknown_ones_marked_while_one_types(visit: Visit) -> None:
    page = visit()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    sentence, unknown = page.get_by_label("Sentence"), page.locator("#words .unknown")
    page.get_by_text("Words that nano knows").click()
    for word in ("red", "circle"):
        page.locator("#words").get_by_role("button", name=word, exact=True).click()
    expect(sentence).to_have_value("red circle")
    sentence.press("Home")
    sentence.press_sequentially("please show me that's the ")
    expect(sentence).to_have_value("please show me that's the red circle")
    expect(unknown).to_be_empty()

    sentence.fill("a bleu <i>starr</i> or a Circle")
    expect(unknown.locator("mark").first).to_have_text("bleu")
    unknown.get_by_role("button", name="blue", exact=True).click()
    expect(sentence).to_have_value("a blue <i>starr</i> or a Circle")
    expect(unknown).not_to_contain_text("bleu")
    sentence.fill("the hippopotamus")
    expect(unknown).to_contain_text("“hippopotamus” is not known here.")
    expect(unknown.get_by_role("button")).to_have_count(0)
    sentence.fill("le")  # “me” and “we” are known, but name nothing
    expect(unknown).to_contain_text("“le” is not known here.")
    expect(unknown.get_by_role("button")).to_have_count(0)
    sentence.fill("")
    expect(unknown).to_be_empty()
    typed = re.compile("circle|bleu|starr|hippopotamus")  # the page may still be asking what it begins with
    assert [request for request in sent if typed.search(request)] == []

    page.locator("#examples button").click()  # what an example brings is looked at, too
    expect(sentence).to_have_value(re.compile("circle"))
    expect(unknown).to_contain_text("“b” is not known here.")
