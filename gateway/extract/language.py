"""In what language is it written? Passages to runs of text that are plainly not English.

Owns the recognition of languages. Refuses to know which of them a force inspects: policy.yaml does, and `decide` acts.
Stands in *extract* behind `reading`, which splits a passage where its language changes.

A sentence with enough of English's own small words is English and asks nobody. Only what is left, in runs of at least
`MIN_LETTERS` letters, is shown to lingua, which must be `MIN_CONFIDENCE` sure (DECISIONS 20): names, addresses and
signature lines are too short or are not written like sentences. What is in a script that English is never written in
is foreign even where nobody can name the language.

Gap: a language written in Latin letters that lingua does not know, or another script's language spelled in them
(Urdu as "kya haal hai"), is seldom recognised with such confidence.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

MIN_LETTERS = 40
MIN_CONFIDENCE = 0.9
UNKNOWN = "und"
"""ISO 639-2's code for a language that could not be determined."""
ENGLISH = "en"
_MAX_RUNS = 30
"""Of one text that lingua is asked about; what follows is taken as one run more."""
_LONGEST_WORD = 40
_MAX_LOOKED_AT = 10_000
_MAX_SAMPLE = 1000
"""Characters of a run that lingua is shown: it is as sure after 200, and its time grows with them."""
_ENGLISH_SHARE = 0.25
_PLAIN_SHARE = 0.45
_FEW_WORDS = 4
_MIN_WORDS = 5
_WORD_OR_TWO = 12
_MAX_MARKS = 0.4
"""Digits and signs to a letter: what has more is a table, a list of numbers or a program."""
_FEW_LINES = 220
"""Characters. Lines with that share of English words have no room for forty letters of another language."""

_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "cs": "Czech", "cy": "Welsh", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "fa": "Persian", "fr": "French", "ga": "Irish", "gu": "Gujarati", "hi": "Hindi",
    "hu": "Hungarian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
    "mr": "Marathi", "nl": "Dutch", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sn": "Shona", "so": "Somali", "sq": "Albanian", "sw": "Swahili", "ta": "Tamil",
    "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "vi": "Vietnamese", "yo": "Yoruba", "zh": "Chinese",
    UNKNOWN: "a language that was not recognised",
}  # fmt: skip
"""What is spoken in Britain (Census 2021, main languages) and lingua knows. A longer list makes more mistakes."""

_HAN = frozenset({"ja", "zh"})
_KANA = re.compile(r"[\u3041-\u30ff]")

_WRITTEN_TOGETHER = ("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO")
"""Scripts that one language mixes, as the names of their letters begin."""

_SENTENCE_END = re.compile(r"[.!?]+(?=\s|\Z)|[\u0964\u06d4\u3002]")
_ADDRESS_MARKS = ("@", "://", "www.")
_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0970-\u0dff\u0e00-\u0eff\u1000-\u109f])"
"""A letter, or a mark that belongs to one: the vowel signs of India's scripts are no letters to `re`."""
_WORD = re.compile(rf"{_LETTER}+(?:['\u2019]{_LETTER}+)*")
_ASCII_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
"""`_WORD` as it is in ASCII in small letters."""
_COMMON = (
    "the and you your yours of is are that this with for have will from would be been being it its it's my mine what when"
    " where why please can cannot can't at if or our ours has were which they there their them these those about any but"
    " as know let us out up her his him had did didn't doesn't don't was wasn't could couldn't should shouldn't who how by"
    " an all just i'm i'll i've i'd you're you'll you've we're we'll we've that's there's they're isn't aren't won't ur"
    " ya yer im ive dont cant thanks thank regards kind best hi hello dear sorry case police statement court officer call"
    " called email mail phone number see saw seen hope want wanted need needed get got give given make made take taken tell"
    " told think thought say said ask asked look looking looked like work working back down over after before again today"
    " tomorrow yesterday week weeks month day days time times year morning afternoon evening night monday tuesday wednesday"
    " thursday friday saturday sunday one two three first last next new other more most much many some every each into off"
    " only also very really well good great than then now here still through because while until since during between"
    " victim witness support evidence interview report crime reference update team contact details information file photo"
    " home house car street road door people person man woman children family things thing way something anything nothing"
    " someone anyone everyone left right help long little own same such whether without against around under both may might"
    " must shall does done doing come coming came going gone went put send sent keep kept feel felt leave meet speak talk"
    " write find found able available attached below above following further possible soon sure yes love happy drink coffee"
)
_OWN_WORDS = frozenset(_COMMON.split())
"""Common English words that no neighbour's language has in common use. An officer's own words are among them."""
_SHARED_WORDS = frozenset(
    {
        "a",
        "i",
        "to",
        "in",
        "on",
        "no",
        "so",
        "do",
        "me",
        "he",
        "we",
        "she",
        "go",
        "u",
        "not",
        "am",
        "pm",
        "ok",
    }
)
"""English words that other languages have too: each counts half."""
_OTHER_SCRIPT = re.compile(
    r"[\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u0590-\u05ff\u0600-\u08ff\u0900-\u109f\u10a0-\u13ff\u1780-\u18af"
    r"\u3040-\u30ff\u3100-\u312f\u3400-\u9fff\uac00-\ud7af\U00020000-\U0002ffff]"
)
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0002ffff]")
"""A syllable or word each: ten of these say as much as forty letters."""
_DENSITY = 4
_LOOKALIKE_SCRIPT = re.compile(r"[\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u13a0-\u13ff]")
"""Scripts whose letters pass for Latin ones. A word in them may be English in disguise, which matching undoes."""

Run = tuple[int, int, str]


def language_name(code: str) -> str:
    """Return the English name of a language by its code, or the code itself."""
    return _NAMES.get(code, code)


def warm_up() -> None:
    """Load the language models, once a process: a second of processor time and 75 MB."""
    _detector()


def languages(text: str) -> list[Run]:
    """Return ``(start, end, code)`` for what is plainly written in one language, in order and without overlap.

    ``en`` stands for English. A text of which nothing can be said gives nothing. Linear in its length.
    """
    found: list[Run] = []
    for start, end, is_english in _runs(text):
        code = ENGLISH if is_english else _recognised(text[start:end])
        if code and found and found[-1][2] == code:
            found[-1] = (found[-1][0], end, code)
        elif code:
            found.append((start, end, code))
    return found


def _runs(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield runs of sentences that are English by their small words, and runs of those that may not be."""
    start, end, kind, asked = 0, 0, None, 0
    for until, said in _sentences(text):
        # Where nothing can be said, a sentence goes with what stands before it.
        this = kind if said is None or asked >= _MAX_RUNS else said
        if this is not kind and kind is not None:
            yield start, end, kind
            asked += not kind
            start = end
        kind, end = this, until
    yield start, len(text), bool(kind) and asked < _MAX_RUNS


def _sentences(text: str) -> Iterator[tuple[int, bool | None]]:
    """Yield the end of each stretch of text, and whether it is English; None where it is too short to say.

    A stretch is a few lines where those are plainly English, else a line or a sentence.
    """
    few: list[str] = []
    size = position = 0
    for line in text.split("\n"):
        if size + len(line) > _FEW_LINES and few:
            yield from _of_few(few, position, size)
            few, position, size = [], position + size, 0
        few.append(line)
        size += len(line) + 1
    yield from _of_few(few, position, size)


def _of_few(lines: list[str], position: int, size: int) -> Iterator[tuple[int, bool | None]]:
    together = " ".join(lines).lower()
    words = together.split()
    is_plain = size <= _FEW_LINES + 1 and sum(map(_OWN_WORDS.__contains__, words)) >= _PLAIN_SHARE * len(
        words
    )
    if is_plain and words and (together.isascii() or not _OTHER_SCRIPT.search(together)):
        yield position + size, True
        return
    for line in lines:
        # Lines of a word or two go with what stands before them.
        if len(line) >= _WORD_OR_TWO or not line.isascii():
            begin = 0
            for stop in (*(match.end() for match in _SENTENCE_END.finditer(line)), len(line) + 1):
                yield position + stop, _is_english(line[begin:stop])
                begin = stop
        position += len(line) + 1


def _is_english(sentence: str) -> bool | None:
    letters = _ASCII_WORD if sentence.isascii() else _WORD
    words = [word.replace("\u2019", "'") for word in letters.findall(sentence.lower())]
    own = sum(word in _OWN_WORDS for word in words) + sum(word in _SHARED_WORDS for word in words) / 2
    if own >= _ENGLISH_SHARE * len(words) and own:
        return True
    return None if len(words) < _FEW_WORDS and not _OTHER_SCRIPT.search(sentence) else False


def _recognised(text: str) -> str:
    """Return the code of the language of a run, or nothing where it is too short or nobody is sure."""
    said = text[:_MAX_LOOKED_AT].split()
    text = " ".join(word for word in said if not _is_no_word(word))
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    if letters + (_DENSITY - 1) * len(_DENSE.findall(text)) < MIN_LETTERS:
        return ""
    foreign = len(_OTHER_SCRIPT.findall(text)) * 2 > letters
    marks = len(text.replace(" ", "")) - letters
    if not foreign and (marks > _MAX_MARKS * letters or not _is_written(words)):
        return ""
    unsure = UNKNOWN if foreign and not _LOOKALIKE_SCRIPT.search(text) else ""
    if foreign and not _is_of_one_script(words):
        return unsure
    best = _detector().compute_language_confidence_values(" ".join(words)[:_MAX_SAMPLE].lower())[0]
    code: str = best.language.iso_code_639_1.name.lower()
    if code in _HAN:  # which of them lingua says is left to chance where the characters are of both
        code = "ja" if _KANA.search(text) else "zh"
    return code if best.value >= MIN_CONFIDENCE else unsure


def _is_of_one_script(words: list[str]) -> bool:
    """Return whether one script has more than half of the letters.

    Of a text in several, as octets give that are no text, lingua names now one language, now another.
    """
    letters = "".join(words)[:_MAX_SAMPLE]
    scripts = Counter(unicodedata.name(letter, "?").split(" ", 1)[0].split("-", 1)[0] for letter in letters)
    together = sum(scripts.pop(name, 0) for name in _WRITTEN_TOGETHER)
    return max((together, *scripts.values())) * 2 > len(letters)


def _is_no_word(word: str) -> bool:
    """Return whether ``word`` is an address, or letters and digits as no language has them in one word."""
    return any(mark in word for mark in _ADDRESS_MARKS) or (len(word) > _LONGEST_WORD and word.isascii())


def _is_written(words: list[str]) -> bool:
    """Return whether ``words`` read like sentences: most are no names, or all are in capitals."""
    small = sum(word[0].islower() for word in words)
    shouted = all(word.isupper() for word in words)
    return len(words) >= _MIN_WORDS and (shouted or small * 2 >= len(words))


@lru_cache(maxsize=1)
def _detector() -> "LanguageDetector":
    from lingua import IsoCode639_1, Language, LanguageDetectorBuilder  # 100 MB that few processes need

    known = [
        Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper()))
        for code in _NAMES
        if code != UNKNOWN
    ]
    builder = LanguageDetectorBuilder.from_languages(*known)
    return builder.with_low_accuracy_mode().with_preloaded_language_models().build()
