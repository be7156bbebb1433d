"""Whose words a match is: the officer's own, reported, or quoted from somebody else.

Owns the reading of quotation marks and speech verbs (DETECTION.md section 3.4). Refuses to know rules. A quotation
mark alone never silences: (i) marks *and* a third party's speech, exhibit or statement beside them: information
only; (ii) bare marks: own words; (iii) a third party's speech without marks: flag at most; (iv) "I said", "they
say", "my mate says": own words. Where the speech stands in the sentence before and does not lead up to the quote
(no colon), it is (iii): else one line of case talk would silence whatever follows in marks. A document with a colon
("from the tape:", "Item 31:") introduces as speech does, and what introduces a list of quotes introduces each of them.
"""

import re
from collections.abc import Callable
from typing import Final

from gateway.inspection.relations.features import reporter
from gateway.inspection.relations.parse import Parsed
from gateway.inspection.shadow import Shadow
from gateway.model import Attribution

_MARKS: Final = " .,;:!?)'\""
_REACH: Final = 700
"""Characters around a match in which its quotation marks are looked for."""
_QUOTED: Final = re.compile(
    r"[\"'](?=\S)(?:(?<=(?<!\w)\")[^\"]{1,600}?(?<=\S)\"(?!\w)|(?<=(?<![\w'])')(?:[^'\"]|(?<=\w)'(?=\w)){1,600}?(?<=\S)'(?!\w))"
)
_PERSONS: Final = (
    r"suspect|defendant|accused|offender|perpetrator|complainant|victim|witness|caller|sender|man|men|male|woman|female|"
    r"boy|girl|lad|ex|husband|wife|partner|boyfriend|girlfriend|stalker|neighbour|manager|boss|landlord|driver|"
    r"brother|sister|father|mother|dad|mum|uncle|aunt|son|daughter|colleague|officer|person|account|profile|scammer|"
    r"fraudster|email|e-mail|message|text|letter|note|post|caption|card|voicemail|statement|exhibit|screenshot"
)
_SAID: Final = (
    r"said|says|saying|told|tells|telling|wrote|writes|writing|written|texted|texts|texting|messaged|messages|messaging|"
    r"sent|sends|sending|called|calls|calling|asked|asks|asking|described|describes|describing|claimed|claims|posted|"
    r"posts|commented|shouted|replied|whispered|mentioned|stated|states|alleges|alleged|e-?mailed|reads|read|quoted|"
    r"used|suggested|threatened|admitted|reported|complained|disclosed|told|promised|typed|types|typing|used the words?"
)
_BETWEEN: Final = r"(?: (?:has|had|have|was|were|is|been|also|then|once|later|repeatedly|apparently|just|that|who|he|she|again|allegedly|often))*"
_TO_WHOM: Final = r"(?: (?:me|us|you|him|her|them|police|officers)\b)?"
_THIRD_PARTY: Final = re.compile(
    rf"\b(?:(?:he|she|them|you)(?:'(?:s|d|ve|re))?|him|(?:the|your|this|that|another|his|her|a) (?:[\w'-]+ ){{0,2}}?(?:{_PERSONS})|suspect|defendant|"
    rf"accused|m(?:r|rs|s|iss)\.? \w+){_BETWEEN} (?:{_SAID})\b{_TO_WHOM}|"
    r"\b(?:in|from|of|on|to) (?:your|his|her|their|the|that|a) (?:[\w'-]+ ){0,2}(?:statement|messages?|texts?|letter|note|"
    r"post|voicemail|screenshots?|exhibit|interview|account|recording|transcript|video|comments?|profile)\b|"
    r"\b(?:the|another|first|second|last|next) (?:one|ones|line|lines|part|bit)(?: (?:that|which))? (?:reads?|says?|said|goes|starts|begins)\b|"
    r"\b(?:is|was|are|were|be|been) (?:heard|alleged|said|seen|recorded|claimed) to (?:have )?(?:say|said|shout|shouted|write|written|ask|asked|tell|told|call|called|threaten|threatened)\b|"
    r"\b(?:hear|heard|hears) (?:him|her|them|(?:a|the|that|this|one|some) (?:[\w'-]+ ){0,2}[\w'-]+) (?:say|saying|shout|shouting|ask|asking|call|calling|tell|telling|whisper)\b|"
    r"\bit (?:says|said|reads|goes)\b|"
    r"\b(?:his|her|their) (?:own |exact |favourite )?(?:phrases?|words?|lines?|sayings?)\b|"
    r"\bexhibits?\b|\bmg11\b|\bthe words?\b|\b(?:paragraph|para|page|line|message|question|entry) (?:no\.? ?)?\d+\b",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    rf"\b(?!(?:I|We|They|People|Everyone|Everybody|And|But|So|As|Mates?|Anyway)\b)[A-Z][a-z]*{_BETWEEN} (?:{_SAID})\b{_TO_WHOM}"
)
_EXHIBIT: Final = re.compile(r"\b[A-Z]{2,4}/\d{1,3}\b")
_SPEECH: Final = (_THIRD_PARTY, _NAMED, _EXHIBIT)
_DOCUMENT: Final = re.compile(
    r"\b(?:tapes?|recordings?|footage|audio|calls?|voicemails?|messages?|texts?|posts?|letters?|cards?|notes?|lines?|"
    r"paras?|paragraphs?|extracts?|passages?|transcripts?|statements?|interviews?|logs?|screenshots?|chats?)\b[^.!?:\"]{0,50}:\s*$|"
    r"(?:^|[\s(])[a-z]+ (?:no\.? ?)?\d{1,4}\s*:\s*$|"
    r"\bquote:?\s*$|\bthe \d{1,2}(?:st|nd|rd|th),? ?\(?\s*$|"
    r"\b(?:version|statement|transcript|draft|copy|page|para(?:graph)?|line)\b[^.!?\"]{0,30}\b(?:leaves? out|omits?|should (?:read|say)|reads|says)\s*$",
    re.IGNORECASE,
)
"""A document, or an item with its number, and a colon straight before the quote; "Quote", a day in a list, what a page leaves out."""
_FROM_ME: Final = re.compile(
    r"\b(?:my|for you|from me|i (?:have|'ve|'ve got|got) (?:a|an|some|one|two|three|this|these)|"
    r"i(?: would|'d)? (?:like|love|want) to (?:give|hand|show|send|pass))\b",
    re.IGNORECASE,
)
"""A document of the officer's own: "I have a note for you: ..."."""
_BEFORE_SIGNING: Final = re.compile(r"\b(?:read|check|confirm)\b.{0,60}\bsign\w*\s*:\s*$", re.IGNORECASE)
_TAKEN_FROM: Final = re.compile(
    r"^(?:that|this|it|those|these)(?:'s| is| are| was| were) (?:[\w']+ ){0,2}?(?:para(?:graph)?|page|line|exhibit|message|entry|item)\b",
    re.IGNORECASE,
)
"""The sentence after a quote says where it stands."""
_WORD: Final = re.compile(r"[A-Za-z]{2}")
_OWN: Final = re.compile(
    r"\b(?<!what )(?:i|we|they|people|everyone|everybody|(?:my|our) (?:mates?|friends?|colleagues?|sarge|missus|wife|mum)|the lads)"
    r"(?: (?:just|already|once|also|have|had|did|'ve|always|all|only|never|would|might|may|could|must|should))* "
    r"(?:said|says?|told|tell|wrote|write|mentioned|called?(?! (?:this|that|it)\b)|asked?|meant?|think|thought|reckon)\b|\bbetween (?:us|you and me)\b",
    re.IGNORECASE,
)
_OWN_TURN: Final = re.compile(
    r"\b(?:i|i'm|im|i'd|i've|i'll|me|my|myself|we|but|so|however|agree)\b|;", re.IGNORECASE
)


_AND: Final = re.compile(r"\band\b", re.IGNORECASE)
"""Whether what follows it is still reported, only a parse can tell."""


def attribution(shadow: Shadow, start: int, end: int, parsed: Callable[[], Parsed | None]) -> Attribution:
    """Return whose words ``start`` to ``end`` of the shadow are; ``parsed`` gives the parse of the sentence or None.

    Without a parse, reported speech is told from its words alone. With one, both must agree: a finding is weakened
    only on double evidence.
    """
    number = shadow.sentence_at(start)
    sentence = shadow.sentence(number)
    quote = _quote_around(shadow.text, start, end)
    if quote is not None:
        return _of_quote(shadow, quote)
    before = sentence[: start - shadow.starts[number]]
    if _OWN.search(sentence) or not _leads_up(before):
        return Attribution.OWN
    doc = parsed()
    if doc is None:
        return Attribution.OWN if _AND.search(before) else Attribution.REPORTED
    if not _is_reported(doc, start - shadow.starts[number], end - shadow.starts[number]):
        return Attribution.OWN
    return Attribution.REPORTED


def _quote_around(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the quotation that holds a match; a full stop or comma behind the mark still belongs to it."""
    for begin, stop in _quotes(text, start, end):
        if begin <= start < stop and not text[stop:end].strip(_MARKS):
            return begin, stop
    return None


def _quotes(text: str, start: int, end: int) -> list[tuple[int, int]]:
    begin, stop = max(0, start - _REACH), min(len(text), end + _REACH)
    return [match.span() for match in _QUOTED.finditer(text, begin, stop)]


def _of_quote(shadow: Shadow, quote: tuple[int, int]) -> Attribution:
    first, last = shadow.sentence_at(quote[0]), shadow.sentence_at(quote[1] - 1)
    before = _unquoted(shadow, shadow.starts[first], quote[0])
    after = _unquoted(shadow, quote[1], shadow.end(last))
    if _OWN.search(f"{before} {after}"):
        return Attribution.OWN
    if _leads_up(before) or _speaks(after) or _is_document(before) or _is_to_be_signed(shadow, before, last):
        return Attribution.QUOTED
    earlier = _introduction(shadow, first)
    if _speaks(before) or not (_speaks(earlier) or _is_document(earlier)) or _OWN.search(earlier):
        return Attribution.OWN
    return Attribution.QUOTED if earlier.endswith(":") else Attribution.REPORTED


def _is_document(before: str) -> bool:
    return _DOCUMENT.search(before) is not None and not _FROM_ME.search(before)


def _is_to_be_signed(shadow: Shadow, before: str, last: int) -> bool:
    """Return whether a quote is an extract that the reader is to sign, and the next sentence says from where."""
    after = shadow.sentence(last + 1) if last + 1 < len(shadow.starts) else ""
    return bool(_BEFORE_SIGNING.search(before) and _TAKEN_FROM.search(after))


def _introduction(shadow: Shadow, first: int) -> str:
    """Return the sentence before a quote; where it stands in a list of quotes, the one before the list."""
    number = first - 1
    while number > 0 and _is_nothing_but_quoted(shadow, number):
        number -= 1
    return shadow.sentence(number) if number >= 0 else ""


def _is_nothing_but_quoted(shadow: Shadow, number: int) -> bool:
    """Return whether a sentence holds no words beside quoted ones; the number of an item is a sentence, too."""
    return not _WORD.search(_unquoted(shadow, shadow.starts[number], shadow.end(number)))


def _unquoted(shadow: Shadow, start: int, end: int) -> str:
    """Return a stretch of text with the quotations in it blanked: what one quote says does not speak for another."""
    words = shadow.text[start:end]
    for begin, stop in _quotes(shadow.text, start, end):
        if start <= begin and stop <= end:
            words = words[: begin - start] + " " * (stop - begin) + words[stop - start :]
    return words


def _speaks(text: str) -> bool:
    return any(pattern.search(text) for pattern in _SPEECH)


def _leads_up(before: str) -> bool:
    """Return whether a third party's speech runs up to the end of ``before`` with no turn to the writer."""
    last = None
    for pattern in _SPEECH:
        for match in pattern.finditer(before + " "):
            last = match.end() if last is None else max(last, match.end())
    return last is not None and not _OWN_TURN.search(before[last:])


def _is_reported(doc: Parsed, start: int, end: int) -> bool:
    tokens = [token for token in doc if start <= token.idx < end and not token.is_punct]
    if not tokens:
        return False
    inside = {token.i for token in tokens}
    tops = [token for token in tokens if token.head.i not in inside or token.head.i == token.i]
    return any(reporter(token) is not None for token in tops)
