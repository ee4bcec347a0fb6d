"""The two vocabularies, the published one against a SentencePiece model that is trained here."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
import sentencepiece

from mpgsam2.checkpoint.tokenizer import SentencePieceTokenizer, WordTokenizer, load_tokenizer
from mpgsam2.errors import InputError

SENTENCES = [
    "a red circle moving to the left",
    "the small blue square on the right",
    "a dog that runs across the grass",
    "the person in a white shirt, walking",
    "the largest of the zebras",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint's folder with a tiny SentencePiece model under the published name."""
    folder = tmp_path_factory.mktemp("published")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20),
        model_prefix=str(folder / "sentencepiece.bpe"),
        vocab_size=70,
        hard_vocab_limit=False,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
    )
    return folder


@pytest.fixture(scope="module")
def published(folder: Path) -> SentencePieceTokenizer:
    return load_tokenizer(folder)


@pytest.fixture(scope="module")
def pieces(folder: Path) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.bpe.model"))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_published_ids_are_the_pieces_plus_one(published, pieces, sentence):
    ids = published.encode(sentence)
    assert ids[0] == 0 and ids[-1] == 2
    assert ids[1:-1] == [i + 1 for i in pieces.encode(sentence)]
    assert 3 not in ids and published.unknown_words(sentence) == []


def test_published_text_is_lower_cased_and_its_white_space_collapsed(published):
    assert published.encode("  The SMALL\tblue \n square ") == published.encode("the small blue square")


def test_published_unknown_pieces_are_3(published, pieces):
    known = [i + 1 for i in pieces.encode("a red circle")]
    ids = published.encode("a red circle 犬")
    assert ids[1:-1][: len(known)] == known
    assert ids[-2] == 3 and ids.count(3) == 1
    assert published.unknown_words("a 犬 red circle ☂ 犬") == ["犬", "☂"]
    # Control tokens that are typed are text like any other.
    assert 0 not in published.encode("a <s> circle")[1:] and 1 not in published.encode("a <pad> circle")


def test_published_words_are_unknown_only_by_their_pieces(published):
    assert published.unknown_words("it's the dog\ufe0f that \u200druns 犬\ufe0f") == ["犬"]
    assert published.known_words("the DOG 犬 dog") == ["the", "dog"]
    for sentence in ("犬", "犬 ☂", " 犬\ufe0f "):
        with pytest.raises(InputError, match="I do not know"):
            published.check_known(sentence)
    for sentence in ("a 犬", "犬 [SEG]"):
        published.check_known(sentence)


def test_published_seg_token(published, pieces, folder, tmp_path):
    # The pieces end at their number, <mask> is the next id, [SEG] the one after.
    assert published.seg_id == len(pieces) + 2
    assert published.vocabulary_size == len(pieces) + 3
    the_dog = published.encode("the dog")
    assert published.encode("The dog [SEG]") == [*the_dog[:-1], published.seg_id, 2]
    assert published.unknown_words("the dog [SEG]") == []
    # Lower-cased it is not the token any more.
    assert published.seg_id not in published.encode("the dog [seg]")

    # A saved tokenizer's own statement goes first.
    (tmp_path / "beit3.spm").write_bytes((folder / "sentencepiece.bpe.model").read_bytes())
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<mask>": 500, "[SEG]": 501}))
    stated = load_tokenizer(tmp_path)
    assert stated.encode("[SEG]") == [0, 501, 2] and stated.vocabulary_size == 502


def test_published_vocabulary_is_saved_whole(published, tmp_path):
    published.save(tmp_path)
    read = load_tokenizer(tmp_path)
    assert read.seg_id == published.seg_id
    assert [read.encode(s) for s in SENTENCES] == [published.encode(s) for s in SENTENCES]


def sentences(number: int) -> list[str]:
    """Sentences of words that were trained on and that were not, in several scripts, with what people type between."""
    random = Random(0)
    known = " ".join(SENTENCES).split()
    others = ["café", "naïve", "T-Shirts", "2nd", "3", "half-open", "“quoted”", "don't", "Ärger", "straße", "e\u0301"]
    others += ["犬", "собака", "кот", "हिन्दी", "👨\u200d👩\u200d👧", "½", "ﬁre", "…", "☂", "٣", "ÅNGSTRÖM", "ｗｉｄｅ"]
    letters = "abcdefghijklmnopqrstuvwxyzéß"
    made = ["".join(random.choices(letters, k=random.randint(1, 9))) for _ in range(300)]
    endings = ["", "", "", ",", ".", "?", "!", "'s", " - ", "/", ") (", "&", "  ", "\t"]

    def sentence(words: list[str], endings: list[str]) -> str:
        return " ".join(random.choice(words) + random.choice(endings) for _ in range(random.randint(1, 12)))

    half = number // 2
    strange = [sentence(known + made + others, endings) for _ in range(number - half)]
    return strange + [sentence(known, ["", "  ", ","]) for _ in range(half)]


@pytest.mark.parametrize("saved", [False, True], ids=["as published", "saved again"])
def test_published_ids_are_sentencepieces_own(published, pieces, tmp_path, saved):
    """On a thousand sentences; both as the model's file says and as `tokenizer.json` does, after saving."""
    if saved:
        published.save(tmp_path)
        assert not (tmp_path / "sentencepiece.bpe.model").exists()
        published = load_tokenizer(tmp_path)
    unknown = 0
    for sentence in sentences(1000):
        theirs = [3 if i == pieces.unk_id() else i + 1 for i in pieces.encode(" ".join(sentence.lower().split()))]
        assert published.encode(sentence) == [0, *theirs[: published.max_tokens], 2], sentence
        unknown += 3 in theirs
    assert 100 < unknown < 900


@pytest.mark.parametrize("legacy", [True, False])
def test_a_folder_as_it_is_published(folder, pieces, tmp_path, legacy):
    """With the settings that a tokenizer is saved with, older ones and newer, and another program's `config.json`."""
    (tmp_path / "sentencepiece.bpe.model").write_bytes((folder / "sentencepiece.bpe.model").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "another", "hidden_size": 1024}))
    seg = len(pieces) + 2
    settings = {"tokenizer_class": "XLMRobertaTokenizer", "unk_token": "<unk>", "pad_token": "<unk>"}
    if legacy:
        (tmp_path / "added_tokens.json").write_text(json.dumps({"[SEG]": seg}))
        (tmp_path / "special_tokens_map.json").write_text(json.dumps({"pad_token": "<unk>", "unk_token": "<unk>"}))
    else:
        settings["added_tokens_decoder"] = {str(seg): {"content": "[SEG]", "special": False}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    read = load_tokenizer(tmp_path)
    assert read.seg_id == seg and read.vocabulary_size == seg + 1
    assert read.encode("a red circle [SEG] 犬")[1:-1] == [
        *(i + 1 for i in pieces.encode("a red circle")),
        seg,
        pieces.piece_to_id("▁") + 1,
        3,
    ]


def test_published_refusals(published):
    for empty in ("", "   \n", "\u200b"):
        with pytest.raises(InputError, match="empty"):
            published.encode(empty)
    with pytest.raises(InputError, match="401 characters"):
        published.encode("a" * 401)
    longest = "a " * 126
    assert len(published.encode(longest)) == 128
    with pytest.raises(InputError, match="127 tokens"):
        published.encode(longest + "a")


WORDS = ["the", "red", "circle", "moving", "to", "left", "small"]


def test_words_have_ids_from_4_on():
    tokenizer = WordTokenizer(WORDS)
    assert tokenizer.encode("the red circle") == [0, 4, 5, 6, 2]
    assert tokenizer.vocabulary_size == 11
    assert max(tokenizer.encode(" ".join(WORDS))) == tokenizer.vocabulary_size - 1


@pytest.mark.parametrize(
    "sentence",
    [
        "The RED circle!",
        "the red-circle",
        "  the,red…circle.  ",
        "ｔｈｅ ｒｅｄ ｃｉｒｃｌｅ",
        "the “red” circle",
        "the_red_circle",
    ],
)
def test_words_without_case_punctuation_and_width(sentence):
    assert WordTokenizer(WORDS).encode(sentence) == [0, 4, 5, 6, 2]


def test_words_are_case_folded_on_both_sides():
    with pytest.raises(InputError):
        WordTokenizer(["Red"])
    with pytest.raises(InputError):
        WordTokenizer(["red", "red"])
    with pytest.raises(InputError):
        WordTokenizer(["top left"])
    assert WordTokenizer(["strasse"]).encode("STRASSE Straße") == [0, 4, 4, 2]


def test_words_that_are_unknown():
    tokenizer = WordTokenizer(WORDS)
    assert tokenizer.encode("the pink circle") == [0, 4, 3, 6, 2]
    assert tokenizer.unknown_words("Pink and 2 red हिन्दी, pink circles") == ["pink", "and", "2", "हिन्दी", "circles"]
    # Nothing known is still a sentence, as a data set may have it.
    assert tokenizer.encode("Zwei Hunde") == [0, 3, 3, 2]
    assert tokenizer.unknown_words("the red circle") == []
    assert tokenizer.known_words("Pink and RED, red circle") == ["red", "circle"]


@pytest.mark.parametrize(
    "sentence", ["Hund", "asdf qwerty", "青い星", "Zwei Hunde!", "красный круг", "دائرة", "x" * 190]
)
def test_a_sentence_without_a_known_word_is_refused(sentence):
    with pytest.raises(InputError, match=r"^I do not know [^.]*: say in other words [^.]*\.$") as raised:
        WordTokenizer(WORDS).check_known(sentence)
    assert len(str(raised.value)) < 200
    WordTokenizer(WORDS).check_known(f"the {sentence}")
    assert set(WordTokenizer(WORDS).encode(sentence)[1:-1]) == {3}


@pytest.mark.parametrize(
    "sentence",
    [
        "\u2764\ufe0f the red circle \u2b50\ufe0e",
        "the \U0001f468\u200d\U0001f469\u200d\U0001f467 circle \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea",
        "the cir\u00adcle",
        "\ufeffthe red\u200b\u200bcircle\u2060",
        "\u202ethe red circle\u202c",
        "the circle's left",
        *(f"the circle{mark}s left{mark}" for mark in "'’‘‛ʼ′`´＇"),
        "‘the’ «red» ‹circle›, „moving“ –left— (small); the/red_circle…",
        "the red\u2011circle\u2010left\u2212small",
        "THE Red CIRCLE¡!",
        "ｔｈｅ　ｃｉｒｃｌｅ",
        "the circle(s)",
    ],
)
def test_what_is_only_written_otherwise_is_no_unknown_word(sentence):
    assert WordTokenizer(WORDS).unknown_words(sentence) == []


def test_contractions_are_read_in_full():
    tokenizer = WordTokenizer(["that", "it", "is", "does", "not", "can", "move", "i", "the", "star"])
    for short, full in (
        ("that's", "that is"),
        ("It’s not", "it is not"),
        ("it doesnʼt move", "it does not move"),
        ("it isn´t", "it is not"),
        ("it can't move", "it not move"),
        ("the star's", "the star"),
        ("the 'star'", "the star"),
        ("I'd move", "i move"),
    ):
        assert tokenizer.encode(short) == tokenizer.encode(full), short


def test_a_digit_in_a_box_is_a_digit():
    assert WordTokenizer(WORDS).unknown_words("the 1\ufe0f\u20e3 circle") == ["1"]


def test_words_refusals():
    tokenizer = WordTokenizer(WORDS)
    for empty in ("", "  ", "?!"):
        with pytest.raises(InputError, match="write which object"):
            tokenizer.encode(empty)
    assert len(tokenizer.encode("red " * 48)) == 50
    with pytest.raises(InputError, match="49 words"):
        tokenizer.encode("red " * 49)
    with pytest.raises(InputError, match="201 characters"):
        tokenizer.encode("r" * 201)


def test_words_in_a_file(tmp_path):
    WordTokenizer([*WORDS, "größe".casefold()]).save(tmp_path)
    read = load_tokenizer(tmp_path)
    assert isinstance(read, WordTokenizer) and read.words == (*WORDS, "grösse")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vocabulary.json", "{not json"),
        ("vocabulary.json", '{"red": 4}'),
        ("vocabulary.json", "[1, 2]"),
        ("beit3.spm", "not a model"),
        ("sentencepiece.bpe.model", ""),
        ("sentencepiece.bpe.model", "version https://git-lfs.github.com/spec/v1"),
        ("tokenizer.json", "{}"),
        ("tokenizer.json", "<html>"),
    ],
)
def test_broken_files_are_named(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=name) as raised:
        load_tokenizer(tmp_path)
    assert str(tmp_path) not in str(raised.value)


def test_broken_added_tokens(folder, tmp_path):
    (tmp_path / "beit3.spm").write_bytes((folder / "sentencepiece.bpe.model").read_bytes())
    for content in ("[]", "{", '{"[SEG]": "5"}'):
        (tmp_path / "added_tokens.json").write_text(content)
        with pytest.raises(InputError, match=r"added_tokens\.json"):
            load_tokenizer(tmp_path)


def test_a_folder_without_a_vocabulary(tmp_path):
    with pytest.raises(InputError, match=r"vocabulary\.json, sentencepiece\.bpe\.model, beit3\.spm"):
        load_tokenizer(tmp_path)
