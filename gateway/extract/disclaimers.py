"""The disclaimers that forces put under every mail, in English and Welsh.

Owns how common ones begin, the words they are made of, and the comparison with the sentences that a force lists as its
own (rules/lists/disclaimers.yaml). Refuses to know anything else. Used by `signatures`.

A disclaimer is cut only as far as its sentences are made of disclaimer language, or are the force's own word for word.
Otherwise "This email is confidential. You looked lovely, delete it." would hide the second half behind the first. A
short sentence is cut only inside a disclaimer that began before it: "Delete this e-mail." alone is an officer's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from gateway.model import HouseStyle

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
    "official sensitive",
    "official-sensitive",
    "official: this",
    "barn yr awdur",
    "bwriedir",
    "cyfrinachedd",
    "gall y neges",
    "mae'r e-bost",
    "mae'r ebost",
    "mae'r neges",
    "mae'r wybodaeth",
    "mae unrhyw farn",
    "meddyliwch cyn",
    "os nad chi",
    "ymwadiad",
    "ystyriwch yr amgylchedd",
    "mae cynnwys",
)
"""How a disclaimer begins, in lower case and without leading marks. A force's own come with its `HouseStyle`."""

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
_WELSH = """
    a ac achos achosir achosion addas adran aelod agor agored am amgylchedd ar argraffu at ateb atebol atebolrwydd
    atodiad atodiadau atodiadau'n atodedig awdur awdurdod awdurdodi awdurdodedig awdurdodwyd barn barnau bersonol
    bod boed bwriad bwriadu bwriadwyd bwriedir busnes byddwch bydd bwrdd camddefnyddio camgymeriad canlyniad cael cafodd
    chaiff chi chofnodi chopïo chyfrinachol chynnwys chysylltwch chynhwysir cofnodi comisiynydd copïau copïo copi
    croesawu cyfathrebu cyfathrebiad cyfathrebiadau cyfeirio cyfeirir cyfer cyfreithiol cyfreithlon cyfrifiadur
    cyfrifoldeb cyfrinachedd cyfrinachol cyfyngu cymryd cynnwys cynhwysir cyn cysylltu cysylltwch dalu dan data
    datgelu datgeliad derbyn derbyniad derbyniwyd derbynnydd derbynyddion dderbynnydd anfonwr hanfonwr bwriadedig fwriadedig derbynnwyd ddarllen ddatgelu ddefnyddio dderbyn
    dderbyniwyd ddileu ddinistrio ddosbarthu ddylech defnydd defnyddio defnyddiwch diangen dibynnu difrod dileu
    dilewch dilëwch dinistrio diogel diogelwch dogfen dogfennau dosbarthu drosglwyddo drwy dull dylech dim
    dweud dychwelyd e-bost e-byst ebost ebyst ef ei eich eiddo ein electronig er eraill fel feirws feirysau
    fersiwn firws firysau fod fonitro fraint frys fwriadu fwriadwyd fynegir fynnir gall gallai gan ganfod
    gamgymeriad gellir gennym gilydd ganddo gohebiaeth gofalwch gofnodi gopïo gopïo gopio gorau gwaherddir gwall gwirio
    gwybod gwybodaeth gwasanaeth gwefan gweithredu gweithrediad gyda gyfer gyfrifol gyfrifoldeb gyfrinachol
    gyfreithiol gyfraith gyfryngau gynnwys gymryd gysylltwch hanfonwyd hanfon hawl heb heddlu hi hon hwn hyd hynny
    hysbysu hysbysir hysbyswch i'r i'w i yma'n iddo iddi i'ch lle llwgr llwyr mae mae'n mae'r mewn modd monitro
    na nad nac neges negeseuon neu newid ni nid nodir o oblygiadau oddi oherwydd ond oni onid ohono ohoni o'r o'u
    pe penodol person personol personau p'un priodol prif proses prosesu reidrwydd rhaid rhan rheolaeth rheoli rhif
    rhoi rhowch rhyngrwyd saesneg sawl sefydliad sganio sganiwyd sicr sicrhau sy'n sydd sylw swyddogol system systemau
    thrwy trefn troseddau trosglwyddo trydydd trwy trwy'r tynnu uchod ubniongyrchol uniongyrchol un unig unigolyn
    unigolion unrhyw unwaith wedi wedi'i wedi'u wirfoddol wiriwyd wybod wybodaeth y y'n ydych ydynt ydyw
    ymlaen ymwadiad yn yna ynghyd yng yngŷn ynglŷn ynddi ynddo ynddynt yntau yr yw yw'r ystyriwch yswiriant
"""
_LANGUAGE = frozenset(_VOCABULARY.split()) | frozenset(_WELSH.split())
_WELSH_WORDS = frozenset(_WELSH.split()) - frozenset(_VOCABULARY.split())
_LEAST_WELSH = 3
_FIRST_PERSON = re.compile(r"\b(?:i|i['\u2019](?:m|d|ll|ve)|me|my|mine|myself)\b", re.IGNORECASE)
_FIRST_PERSON_WELSH = re.compile(
    r"\bI(?:['\u2019](?:m|d|ll|ve))?\b|\b(?:fi|fy|mi|me|my|mine|rwy\w*|rydw|dw i)\b"
)
"""In Welsh a small ``i`` is a preposition."""
_SENTENCE_END = re.compile(r"[.!?:;]+(?:\s+|\Z)|\n{2,}")
_WORDS = re.compile(r"[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*")
_MARKING = re.compile(r"^[\W_]*$")
_LONGEST_SENTENCE = 1500
_STRANGERS = 0.2
_MOST_STRANGE = 0.5
"""Names among them: "Dear Ms Bloggs," is no disclaimer."""
_MAX_NAMES = 3
_MAX_OPENINGS = 200
_NEARBY = 200
_OPENING_WORDS = 6
"""As many words of a listed sentence are looked for at the beginning of a line."""
_LEAST_WORDS = 6
"""A listed sentence of so many words is a disclaimer by itself, wherever it begins a line."""
_CORE = re.compile(
    r"\b(?:confidential|privileged|intended|addressee|recipients?|in error|virus(?:es)?|monitor(?:ed)?|recorded|disclos\w+"
    r"|liab\w+|copied|legally|unauthori[sz]ed|secure|environment|print(?:ing)?|views|opinions|[cg]h?yfrinach\w+|fwriad\w+"
    r"|bwriad\w+|bwriedir|d?derbynnydd|gamgymeriad|feirysau|firysau|fonitro|monitro|argraffu|amgylchedd|farn|barn|datgelu|ddatgelu)\b",
    re.IGNORECASE,
)
"""What every disclaimer is about, in its first sentence or soon after."""
_SPEECH = re.compile(r"[\U0001F300-\U0001FAFF\u2600-\u27BF]|\b[xX]{1,4}\s*$")


@dataclass(frozen=True, slots=True)
class Wording:
    """The disclaimers to look for, compiled: how they begin, and a force's own sentences as their words."""

    opening: re.Pattern[str]
    sentences: frozenset[tuple[str, ...]]


@lru_cache(maxsize=4)
def wording_of(style: HouseStyle) -> Wording:
    """Return the wording of common disclaimers and of those in ``style``."""
    begins: list[str] = list(OPENINGS)
    sentences: set[tuple[str, ...]] = set()
    for phrase in style.disclaimers:
        begins.append(" ".join(_WORDS.findall(phrase)[:_OPENING_WORDS]))
        sentences.update(map(_words_of, _SENTENCE_END.split(phrase)))
    return Wording(_opening(filter(None, begins)), frozenset(sentences - {()}))


def _opening(begins: Iterable[str]) -> re.Pattern[str]:
    any_of = "|".join(r"\W{1,3}".join(map(re.escape, begin.split())) for begin in begins)
    any_of = any_of.replace("'", "['\u2019]")
    return re.compile(rf"^[ \t*_=#~>|\[(\"-]{{0,80}}(?:{any_of})\b", re.IGNORECASE | re.MULTILINE)


def _words_of(sentence: str) -> tuple[str, ...]:
    return tuple(word.casefold().replace("\u2019", "'") for word in _WORDS.findall(sentence))


def openings(text: str, start: int, limit: int, wording: Wording) -> set[int]:
    """Return where disclaimers may begin in that run of ``text``: at these lines `disclaimer_end` is worth asking."""
    found = (match.start() for match in wording.opening.finditer(text, start, limit))
    return set(islice(found, _MAX_OPENINGS))


def disclaimer_end(text: str, start: int, limit: int, wording: Wording) -> int:
    """Return where the disclaimer that begins at ``start`` ends, at most ``limit``.

    ``start`` is one of `openings`, and is returned when what begins there is no disclaimer after all.
    """
    end = start
    while end < limit:
        stop = _sentence_end(text, end, limit)
        if stop <= end:
            break
        words = _words_of(text[end:stop])
        listed = words in wording.sentences
        if not listed and not _is_disclaiming(text[end:stop]):
            break
        by_itself = listed and len(words) >= _LEAST_WORDS
        if end == start and not by_itself and not _CORE.search(text[start : min(limit, stop + _NEARBY)]):
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
    words: list[str] = _WORDS.findall(sentence)
    plain = [word.lower().replace("\u2019", "'") for word in words]
    in_welsh = sum(word in _WELSH_WORDS for word in plain) >= _LEAST_WELSH
    first_person = _FIRST_PERSON_WELSH if in_welsh else _FIRST_PERSON
    if first_person.search(sentence) or _SPEECH.search(sentence):
        return False
    strange = [place for place, folded in enumerate(plain) if folded not in _LANGUAGE]
    names = sum(words[place][0].isupper() and _is_name(words, place) for place in strange)
    counted = len(strange) - min(names, _MAX_NAMES)
    return counted <= _STRANGERS * len(words) and len(strange) <= _MOST_STRANGE * len(words)


def _is_name(words: list[str], place: int) -> bool:
    """Return whether a strange capitalised word may be a name: the first one of a sentence only beside another."""
    return place > 0 or (len(words) > 1 and words[1][0].isupper())
