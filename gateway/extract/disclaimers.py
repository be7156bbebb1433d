"""The disclaimers that forces put under every mail.

Owns how common ones begin, and the words they are made of. Refuses to know anything else. Used by `signatures`.

A disclaimer is cut only as far as its sentences are made of disclaimer language. Otherwise "This email is
confidential. You looked lovely, delete it." would hide the second half behind the first.
"""

import re
from itertools import islice

OPENINGS = (
    "confidentiality notice",
    "disclaimer",
    "internet communications are not",
    "internet e-mail is not",
    "internet email is not",
    "notice: this",
    "please consider the environment",
    "please think before",
    "the content of this",
    "the contents of this",
    "the information contained in this",
    "the information in this",
    "the views expressed",
    "think before you print",
    "this communication",
    "this e-mail",
    "this electronic",
    "this email",
    "this message",
    "this transmission",
    "unauthorised use",
)
"""How a disclaimer begins, in lower case and without leading marks. A force's own come from rules/lists."""

_VOCABULARY = """
    a about above accept accepted access accessed accident accordance accordingly account accuracy
    accurate act action actions addition address addressed addressee addressees administrator advice
    advised against agency all also altered an and any anyone appropriate are arising as at attached
    attachment attachments attention authorised authority authorized automatically available be been
    before being belief believe belong binding business but by carried caused check checked checks chief
    client commissioner communication communications company complete computer contact confidential
    confidentiality consequence consider constable constabulary constitute contact contain contained contains
    content contents contract copied copies copy copying correct corrupted could crime criminal damage
    data delay delete deleted deletion destroy destroyed directly disclaimer disclose disclosed disclosing
    disclosure discrimination disseminate dissemination distribute distributed distributing distribution
    do document documents does e-mail e-mails electronic email emails employee employees endorsed entitled
    entity environment equal error errors except express expressed external files following for force
    forward forwarded free freedom from further guarantee guaranteed has have health here hereby if
    immediately implied in including incomplete inform information informed intended interception internal
    internet into is it its judgement kept kindly law lawful legal legally liability liable limited loss
    lost made mail mailbox malicious marked material may mean means message messages misuse monitor
    monitored monitoring must necessarily necessary no non nor not note notice notified notify obligation
    of offence official on only opened operational opinion opinions or organisation organization other
    otherwise our outside own part parties party pcc permission permitted person personal personnel
    persons phone please police policies policy possible print printed printing privacy private privilege
    privileged processed prohibited property proprietary protect protected protection protective
    protectively purpose purposes reader reason receipt receive received receiving recipient recipients
    record recorded recording regulations relevant reliance rely remove reply represent representative
    reproduce reproduced reproduction responsibility responsible restricted return review said scanned
    secure security sender senders sensitive sent service shall should software sole solely state stated
    states statutory strictly subject such swept system systems take taken telephone than that the their
    them then therefore these they third this those through time to transmission transmitted unauthorised
    unauthorized under unintended unlawful unless unsolicited upon use used user using via view viewed
    views virus viruses visit warrants warranty was we website were when where whether which who whom will
    us tell with within without working would you your yourself
"""
_LANGUAGE = frozenset(_VOCABULARY.split())
_FIRST_PERSON = re.compile(r"\b(?:i|i['\u2019](?:m|d|ll|ve)|me|my|mine|myself)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?:;]+(?:\s+|\Z)|\n{2,}")
_WORDS = re.compile(r"[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*")
_MARKING = re.compile(r"^[\W_]*$")
_LONGEST_SENTENCE = 1500
_STRANGERS = 0.2
_MAX_NAMES = 3
_MAX_OPENINGS = 200
_NEARBY = 200
_CORE = re.compile(
    r"\b(?:confidential|privileged|intended|addressee|recipients?|in error|virus(?:es)?|monitor(?:ed)?|recorded|disclos\w+"
    r"|liab\w+|copied|legally|unauthori[sz]ed|secure|environment|print(?:ing)?|views|opinions)\b",
    re.IGNORECASE,
)
"""What every disclaimer is about, in its first sentence or soon after."""
_OPENING = re.compile(
    r"^[ \t*_=#~>|-]{0,80}(?:"
    + "|".join(re.escape(opening).replace(r"\ ", r"\s") for opening in OPENINGS)
    + ")",
    re.IGNORECASE | re.MULTILINE,
)
_SPEECH = re.compile(r"[\U0001F300-\U0001FAFF\u2600-\u27BF]|\b[xX]{1,4}\s*$")


def openings(text: str, start: int, limit: int) -> set[int]:
    """Return where disclaimers may begin in that run of ``text``: at these lines `disclaimer_end` is worth asking."""
    found = (match.start() for match in _OPENING.finditer(text, start, limit))
    return set(islice(found, _MAX_OPENINGS))


def disclaimer_end(text: str, start: int, limit: int) -> int:
    """Return where the disclaimer that begins at ``start`` ends, at most ``limit``.

    ``start`` is one of `openings`, and is returned when what begins there is no disclaimer after all.
    """
    end = start
    while end < limit:
        stop = _sentence_end(text, end, limit)
        if stop <= end or not _is_disclaiming(text[end:stop]):
            break
        if end == start and not _CORE.search(text[start : min(limit, stop + _NEARBY)]):
            break
        end = stop
    return end


def _sentence_end(text: str, begin: int, limit: int) -> int:
    """Return where the sentence at ``begin`` ends; ``begin`` when it is longer than any disclaimer's."""
    reach = min(limit, begin + _LONGEST_SENTENCE)
    match = _SENTENCE_END.search(text, begin, reach)
    if match:
        return match.end()
    return limit if reach == limit else begin


def _is_disclaiming(sentence: str) -> bool:
    """Return whether ``sentence`` is made of disclaimer language; capitalised names and addresses may stand in it."""
    if _MARKING.match(sentence):
        return True
    if _FIRST_PERSON.search(sentence) or _SPEECH.search(sentence):
        return False
    words: list[str] = _WORDS.findall(sentence)
    strange: list[str] = [word for word in words if word.lower() not in _LANGUAGE]
    names = sum(word[0].isupper() for word in strange)
    counted = len(strange) - min(names, _MAX_NAMES)
    return counted <= _STRANGERS * len(words)
