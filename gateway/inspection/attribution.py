"""Whose words a match is: the officer's own, reported, or quoted from somebody else.

Owns the reading of quotation marks and speech verbs (DETECTION.md section 3.4). Refuses to know rules. A quotation
mark alone never silences: (i) marks *and* a third party's speech, exhibit or statement beside them: information
only; (ii) bare marks: own words; (iii) a third party's speech without marks: flag at most; (iv) "I said", "they
say", "my mate says": own words. Where the speech stands in the sentence before and does not lead up to the quote
(no colon), it is (iii): else one line of case talk would silence whatever follows in marks.
"""

import re
from collections.abc import Callable
from typing import Final

from gateway.inspection.cues import Parsed, reporter
from gateway.inspection.shadow import Shadow
from gateway.model import Attribution

_REACH: Final = 700
"""Characters around a match in which its quotation marks are looked for."""
_QUOTED: Final = re.compile(
    r"(?<!\w)\"(?=\S)[^\"]{1,600}?(?<=\S)\"(?!\w)|(?<![\w'])'(?=\S)(?:[^'\"]|(?<=\w)'(?=\w)){1,600}?(?<=\S)'(?!\w)"
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
    r"suggested|threatened|admitted|used the words?"
)
_BETWEEN: Final = r"(?: (?:has|had|have|was|were|is|been|also|then|once|later|repeatedly|apparently|just|that|who|he|she|again|allegedly|often))*"
_THIRD_PARTY: Final = re.compile(
    rf"\b(?:he|she|you|(?:the|your|this|that|another|his|her|a) (?:[\w'-]+ ){{0,2}}?(?:{_PERSONS})|suspect|defendant|"
    rf"accused|m(?:r|rs|s|iss)\.? \w+){_BETWEEN} (?:{_SAID})\b|"
    r"\b(?:in|from|of|on|to) (?:your|his|her|their|the|that|a) (?:[\w'-]+ ){0,2}(?:statement|messages?|texts?|letter|note|"
    r"post|voicemail|screenshots?|exhibit|interview|account|recording|transcript|video|comments?|profile)\b|"
    r"\bexhibits?\b|\bmg11\b|\bthe words?\b",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    rf"\b(?!(?:I|We|They|People|Everyone|Everybody|And|But|So|As|Mates?|Anyway)\b)[A-Z][a-z]+{_BETWEEN} (?:{_SAID})\b"
)
_EXHIBIT: Final = re.compile(r"\b[A-Z]{2,4}/\d{1,3}\b")
_OWN: Final = re.compile(
    r"\b(?:i|we|they|people|everyone|everybody|(?:my|our) (?:mates?|friends?|colleagues?|sarge|missus|wife|mum)|the lads)"
    r"(?: (?:just|already|once|also|have|had|did|'ve|always|all|only|never|would|might|may|could|must|should))* "
    r"(?:said|says?|told|tell|wrote|write|mentioned|called?|asked?|meant?|think|thought|reckon)\b|\bbetween (?:us|you and me)\b",
    re.IGNORECASE,
)
_OWN_TURN: Final = re.compile(
    r"\b(?:i|i'm|im|i'd|i've|i'll|me|my|myself|we|but|however|agree)\b|;", re.IGNORECASE
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
    begin = max(0, start - _REACH)
    for match in _QUOTED.finditer(text, begin, min(len(text), end + _REACH)):
        if match.start() <= start and end <= match.end():
            return match.span()
    return None


def _of_quote(shadow: Shadow, quote: tuple[int, int]) -> Attribution:
    first, last = shadow.sentence_at(quote[0]), shadow.sentence_at(quote[1] - 1)
    beside = f"{shadow.text[shadow.starts[first] : quote[0]]} {shadow.text[quote[1] : shadow.end(last)]}"
    if _OWN.search(beside):
        return Attribution.OWN
    if _speaks(beside):
        return Attribution.QUOTED
    before = shadow.sentence(first - 1) if first > 0 else ""
    if not _speaks(before) or _OWN.search(before):
        return Attribution.OWN
    return Attribution.QUOTED if before.endswith(":") else Attribution.REPORTED


def _speaks(text: str) -> bool:
    return any(pattern.search(text) for pattern in (_THIRD_PARTY, _NAMED, _EXHIBIT))


def _leads_up(before: str) -> bool:
    """Return whether a third party's speech runs up to the end of ``before`` with no turn to the writer."""
    last = None
    for pattern in (_THIRD_PARTY, _NAMED):
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
