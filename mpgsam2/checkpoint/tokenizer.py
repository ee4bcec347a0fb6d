"""From an expression to token ids, for the published vocabulary and for nano's own, behind one interface.

Both put the sentence between `<s>` (0) and `</s>` (2), keep 1 for `<pad>`, and give 3, `<unk>`, to what they do not
know; the network masks the 3s out of its attention.

The published vocabulary is a SentencePiece model, which transformers converts to one of its own kind; the tests hold
its ids against those of `sentencepiece` itself.
"""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from mpgsam2.checkpoint.unseen import without_unseen
from mpgsam2.errors import InputError
from mpgsam2.inference.tokenizer import Tokenizer, quoted

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

BEGIN, PAD, END, UNKNOWN = 0, 1, 2, 3
SEG = "[SEG]"

WORDS_FILE = "vocabulary.json"
SENTENCEPIECE_FILE = "sentencepiece.bpe.model"
ADDED_TOKENS_FILE = "added_tokens.json"
_SAVED_FILES = ("tokenizer.json", "tokenizer_config.json")


def is_vocabulary(name: str) -> bool:
    """Return whether a file of that name is enough to make a tokenizer."""
    return name in (WORDS_FILE, SENTENCEPIECE_FILE, "tokenizer.json") or name.lower().endswith(".spm")


def is_of_tokenizer(name: str) -> bool:
    """Return whether a file of that name may be one of a saved tokenizer's."""
    return is_vocabulary(name) or name in (*_SAVED_FILES, ADDED_TOKENS_FILE, "special_tokens_map.json")


_SPACE = "▁"  # as SentencePiece writes it

_APOSTROPHES = re.compile("[’‘‛ʹʻʼʽˈ′‵`´＇ꞌꞋ՚׳ߴߵ❛❜᾽᾿΄]")
_CONTRACTIONS = (
    (re.compile(r"\b(that|this|it|there|here|where|what|which|who|one)'s\b"), r"\1 is"),
    (re.compile(r"\b(?:ca|sha|wo)n't\b"), "not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"(?<=\w)'(?:s|m|re|ve|ll|d)\b"), ""),
)
# Letters with their marks, and digits; no enclosing marks, such as a keycap's.
_WORD_CATEGORIES = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No"}


class SentencePieceTokenizer:
    """The published vocabulary: a SentencePiece model with XLM-RoBERTa's ids (piece i → i + 1) and the token `[SEG]`.

    Expressions are lower-cased and their white space collapsed, as the training data is; only `[SEG]`, written like
    this, stays what it is. The network's table of text positions would take 1022 tokens; training saw sentences of some
    dozens, so longer texts are refused well before that.
    """

    max_tokens = 128
    max_characters = 400

    def __init__(self, tokenizer: PreTrainedTokenizerFast, seg_id: int | None = None) -> None:
        """Take `seg_id` or else the tokenizer's own, or the id after its others. Raises ValueError for no pieces."""
        if tokenizer.vocab_size <= UNKNOWN + 2:
            raise ValueError("only control tokens")
        tokenizer.add_tokens([SEG])
        self._tokenizer = tokenizer
        self.seg_id = cast(int, tokenizer.convert_tokens_to_ids(SEG)) if seg_id is None else seg_id
        self.vocabulary_size = max(self.seg_id + 1, len(tokenizer))

    @classmethod
    def from_folder(cls, folder: Path) -> SentencePieceTokenizer:
        """Read what `save_pretrained` wrote, or a bare `sentencepiece.bpe.model`, with transformers' `AutoTokenizer`.

        Raises:
            InputError: the files cannot be read.
        """
        from transformers import AutoTokenizer

        seg_id = _added_seg_id(folder / ADDED_TOKENS_FILE)
        saved = any((folder / name).is_file() for name in _SAVED_FILES)
        kind = {} if saved else {"tokenizer_type": "xlm-roberta"}
        try:
            read = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **kind)
            return cls(cast("PreTrainedTokenizerFast", read), seg_id)
        except Exception as error:  # broken files raise whatever the bytes lead to
            name = next(name for name in (*_SAVED_FILES, SENTENCEPIECE_FILE) if (folder / name).is_file())
            raise InputError(f"{name} does not make a tokenizer: download the checkpoint's tokenizer again.") from error

    @classmethod
    def from_file(cls, path: Path) -> SentencePieceTokenizer:
        """Read a SentencePiece model of any name. Raises InputError if it is none."""
        with TemporaryDirectory() as folder:  # transformers takes it by its usual name alone
            shutil.copyfile(path, Path(folder, SENTENCEPIECE_FILE))
            if (added := path.with_name(ADDED_TOKENS_FILE)).is_file():
                shutil.copy(added, folder)
            try:
                return cls.from_folder(Path(folder))
            except InputError as error:
                raise InputError(str(error).replace(SENTENCEPIECE_FILE, path.name)) from error

    def encode(self, expression: str) -> list[int]:
        """See `Tokenizer.encode`."""
        _check_length(expression, self.max_characters)
        ids: list[int] = []
        for part in re.split(rf"({re.escape(SEG)})", expression):
            ids += [self.seg_id] if part == SEG else self._pieces(part)
        if not ids:
            raise InputError("The sentence is empty: write which object to segment.")
        if len(ids) + 2 > self.max_tokens:
            raise InputError(
                f"The sentence is too long ({len(ids)} tokens): use at most {self.max_tokens - 2}, about 80 words."
            )
        return [BEGIN, *ids, END]

    def pieces(self, expression: str) -> list[str]:
        """See `Tokenizer.pieces`."""
        pieces = self._tokenizer.convert_ids_to_tokens(self.encode(expression)[1:-1])
        return [piece.replace(_SPACE, "") for piece in pieces]

    def known_words(self, expression: str) -> list[str]:
        """See `Tokenizer.known_words`."""
        return [word for word in self._split(expression) if UNKNOWN not in self._pieces(word)]

    def unknown_words(self, expression: str) -> list[str]:
        """See `Tokenizer.unknown_words`."""
        return [word for word in self._split(expression) if UNKNOWN in self._pieces(word)]

    def check_known(self, expression: str) -> None:
        """See `Tokenizer.check_known`."""
        ids = set(self.encode(expression)[1:-1])
        if ids <= {UNKNOWN, self._tokenizer.convert_tokens_to_ids(_SPACE)}:
            raise _nothing_known(self.unknown_words(expression))

    def _split(self, expression: str) -> list[str]:
        """Return its words, each once; punctuation and what is not seen are no part of them."""
        text = without_unseen(_APOSTROPHES.sub(" ", expression.replace(SEG, " ")))
        words = "".join(" " if unicodedata.category(c)[0] == "P" else c for c in text)
        return list(dict.fromkeys(_collapse(words).split()))

    def save(self, folder: str | Path) -> None:
        """Write `tokenizer.json` and what belongs to it, and the id of `[SEG]` as `added_tokens.json`."""
        self._tokenizer.save_pretrained(folder)
        (Path(folder) / ADDED_TOKENS_FILE).write_text(json.dumps({SEG: self.seg_id}) + "\n", encoding="utf-8")

    def _pieces(self, text: str) -> list[int]:
        text = _CONTROL_TOKEN.sub(r"< \1 >", _collapse(text))  # what is typed is text
        return self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids


_CONTROL_TOKEN = re.compile(r"<(/?s|pad|unk|mask)>")


class WordTokenizer:
    """Nano's vocabulary: whole words, `words[i]` → 4 + i.

    A sentence is brought to NFKC form and case-folded, then split at everything that is neither a letter nor a digit:
    punctuation goes, a hyphen parts two words, "that's" is "that is". Unknown words keep their place as `<unk>`,
    even if there are no others.
    """

    max_words = 48
    max_characters = 200

    def __init__(self, words: Sequence[str]) -> None:
        """Raise InputError for words that no sentence could hold, or that are there twice."""
        self.words = tuple(words)
        broken = [word for word in self.words if _words(word) != [word]]
        if broken or len(set(self.words)) < len(self.words):
            raise InputError("A vocabulary must list lower-case words, each of them once and without punctuation.")
        self._ids = {word: UNKNOWN + 1 + i for i, word in enumerate(self.words)}
        self.vocabulary_size = UNKNOWN + 1 + len(self.words)

    @classmethod
    def from_file(cls, path: str | Path) -> WordTokenizer:
        """Read what `save` wrote. Raises InputError if the file holds anything but a list of words."""
        try:
            words = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{Path(path).name} cannot be read: it must be a JSON list of words.") from error
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise InputError(f"{Path(path).name} does not hold a vocabulary: it must be a JSON list of words.")
        return cls(words)

    def save(self, folder: str | Path) -> None:
        """Write the words as a JSON list, in the order of their ids, to `vocabulary.json`."""
        text = json.dumps(self.words, ensure_ascii=False, indent=0)
        (Path(folder) / WORDS_FILE).write_text(text + "\n", encoding="utf-8")

    def encode(self, expression: str) -> list[int]:
        """See `Tokenizer.encode`."""
        _check_length(expression, self.max_characters)
        words = _words(expression)
        if not words:
            raise InputError("The sentence holds no word: write which object to segment.")
        if len(words) > self.max_words:
            raise InputError(f"The sentence is too long ({len(words)} words): use at most {self.max_words}.")
        return [BEGIN, *(self._ids.get(word, UNKNOWN) for word in words), END]

    def pieces(self, expression: str) -> list[str]:
        """See `Tokenizer.pieces`."""
        return _words(expression)

    def known_words(self, expression: str) -> list[str]:
        """See `Tokenizer.known_words`."""
        return [word for word in dict.fromkeys(_words(expression)) if word in self._ids]

    def unknown_words(self, expression: str) -> list[str]:
        """See `Tokenizer.unknown_words`."""
        words = dict.fromkeys(_words(expression))
        return [word for word in words if word not in self._ids and word != "s"]  # which is no word, as in "circle(s)"

    def check_known(self, expression: str) -> None:
        """See `Tokenizer.check_known`."""
        if not self.known_words(expression):
            raise _nothing_known(list(dict.fromkeys(_words(expression))))


def load_tokenizer(path: str | Path) -> Tokenizer:
    """Return the tokenizer whose files lie in a checkpoint's folder, or a vocabulary's one file.

    Raises:
        InputError: there are none, or broken ones.
    """
    path = Path(path)
    if path.is_file():
        return WordTokenizer.from_file(path) if path.suffix == ".json" else SentencePieceTokenizer.from_file(path)
    if (path / WORDS_FILE).is_file():
        return WordTokenizer.from_file(path / WORDS_FILE)
    if any((path / name).is_file() for name in ("tokenizer.json", SENTENCEPIECE_FILE)):
        return SentencePieceTokenizer.from_folder(path)
    names = sorted(file.name for file in path.iterdir() if is_vocabulary(file.name)) if path.is_dir() else []
    if names:
        return SentencePieceTokenizer.from_file(path / names[0])
    raise InputError(
        "The checkpoint has no vocabulary: put one of vocabulary.json, sentencepiece.bpe.model, beit3.spm next to its "
        "weights, or name it in the variable MPGSAM2_VOCABULARY; beit3.spm is to be had from "
        "https://github.com/microsoft/unilm/tree/master/beit3."
    )


def _added_seg_id(path: Path) -> int | None:
    """Return the id of `[SEG]` as a saved tokenizer states it, None if it does not."""
    if not path.is_file():
        return None
    try:
        seg_id = json.loads(path.read_text(encoding="utf-8")).get(SEG)
    except (ValueError, AttributeError) as error:
        raise InputError(f"{path.name} cannot be read: it must be a JSON object of tokens and ids.") from error
    if seg_id is not None and not isinstance(seg_id, int):
        raise InputError(f"{path.name} gives {SEG} no whole number as its id.")
    return seg_id


def _check_length(expression: str, max_characters: int) -> None:
    if expression is not None and not isinstance(expression, str):
        raise InputError(f"The expression is one {type(expression).__name__}: give a sentence.")
    if not expression or not expression.strip():
        raise InputError("The sentence is empty: write which object to segment.")
    if len(expression) > max_characters:
        raise InputError(f"The sentence is too long ({len(expression)} characters): use at most {max_characters}.")


def _collapse(text: str) -> str:
    """Return a text in lower case, with single spaces and none at the ends."""
    return " ".join(text.lower().split())


def _nothing_known(words: Sequence[str]) -> InputError:
    known = f"any of the words {quoted(words)}" if len(words) > 1 else f"the word {quoted(words)}"
    return InputError(f"I do not know {known}: say in other words which object to segment, such as “the red circle”.")


def _words(text: str) -> list[str]:
    """Return the runs of letters (with their marks) and digits, NFKC and case-folded; contractions in full."""
    text = without_unseen(_APOSTROPHES.sub("'", text))
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    for pattern, full in _CONTRACTIONS:
        text = pattern.sub(full, text)
    runs = "".join(c if unicodedata.category(c) in _WORD_CATEGORIES else " " for c in text).split()
    return [run for run in runs if any(unicodedata.category(c)[0] in "LN" for c in run)]
