"""What a parse tells of a sentence besides its words: who speaks, to whom, in which mood, and on what business.

Owns the reading of one parsed sentence. Refuses to know categories: `frames` and `cues` ask it. Keys of words are those
of `lexicon`, so that "u", "ya" and "you" are one.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from gateway.inspection import lexicon
from gateway.inspection.relations.parse import Parsed

SUBJECTS: Final = frozenset({"nsubj", "nsubjpass", "csubj", "expl"})
YOU: Final = frozenset({"you", "yourself", "thou", "thee"})
YOUR: Final = frozenset({"your", "yours", "thy"})
I: Final = frozenset({"i", "me", "myself"})  # noqa: E741  # it is the pronoun
MY: Final = frozenset({"my", "mine"})
WE: Final = frozenset({"we", "us", "ourselves", "our", "ours"})
_OTHERS: Final = frozenset({"he", "she", "they", "him", "her", "them", "his", "their"})


def keys_of_words(words: str) -> frozenset[str]:
    """Return the keys of words that are written with spaces between them."""
    return frozenset(map(lexicon.canonical, words.split()))


_SPEECH: Final = keys_of_words(
    "say tell write text message ask call describe claim state mention report allege reply shout send "
    "post add email comment whisper tweet admit suggest think"
)
_ANYBODY: Final = frozenset({"they", "people", "everyone", "everybody", "mate", "friend", "colleague"})
"""Subjects whose speech is still the officer's own: "they say you're gorgeous" (DETECTION 3.4)."""
_REPORTED: Final = frozenset(
    {"ccomp", "xcomp", "dobj", "oprd", "parataxis", "prep", "advcl", "acl", "attr", "acomp"}
)
ANCHORS: Final = keys_of_words(
    "statement mg11 vps exhibit court trial hearing magistrates crown cps prosecutor solicitor barrister "
    "judge jury bail custody charge interview evidence disclosure cctv footage forensic swab dash risk "
    "questionnaire assessment safeguarding idva isva marac witness suspect defendant offender "
    "compensation cica insurance reference crime urn procedure viper identification refuge alarm "
    "locksmith restraining order injunction officer sergeant inspector colleague dc ds pc dci counsellor "
    "appointment intermediary screens"
)
"""Words of police business: beside them an offer or a question has a reason."""
_CLAUSES: Final = frozenset({"ccomp", "advcl", "conj", "relcl", "acl", "parataxis", "pcomp", "csubj"})
"""Roles in which a clause of its own begins."""
_KISSES: Final = frozenset({"x", "xx", "xxx", "xxxx", "xo", "xoxo"})
_GREETINGS: Final = keys_of_words(
    "hi hello hey hiya morning night alright evening afternoon up soon thanks cheers ta ok bye"
)
_SPOKEN_TO: Final = frozenset({"VB", "VBP"})
_ASKING: Final = frozenset(
    {"do", "be", "have", "can", "could", "will", "would", "shall", "should", "may", "might"}
)


def reporter(token: Any) -> Any:
    """Return the verb by which somebody else says what ``token`` stands in, or None.

    "He said you were gorgeous" and "you told us he asked you out" report; "I said", "they say" and "my mate says"
    do not. A clause of its own after "and" or "but" is the writer's.
    """
    at = token
    while at.head.i != at.i:
        up = at.head
        is_speech = up.lemma_.lower() in _SPEECH or lexicon.canonical(up.lower_) in _SPEECH
        if is_speech and at.dep_ in _REPORTED and _is_third_party(up):
            return up
        at = up
    return None


def _is_third_party(verb: Any) -> bool:
    subjects = [child for child in verb.children if child.dep_ in SUBJECTS]
    if not subjects:
        return verb.dep_ in {"relcl", "acl"}
    own = {"i", "me", "myself", "we", "us"}
    return subjects[0].lower_ not in own | _ANYBODY


@dataclass(frozen=True)
class Features:
    """One parsed sentence. ``words`` is what was parsed."""

    parsed: Parsed
    words: str

    @cached_property
    def keys(self) -> frozenset[str]:
        """Return the keys of all tokens."""
        return frozenset(token.norm_ for token in self.parsed)

    @property
    def is_addressed(self) -> bool:
        """Return whether the reader is spoken to: named by "you" or "your", or told to do something."""
        return bool(self.keys & (YOU | YOUR)) or self.is_told

    @property
    def is_anchored(self) -> bool:
        """Return whether police business stands in the sentence: a form, a court, a second officer."""
        return bool(self.keys & ANCHORS)

    def clause(self, token: Any) -> tuple[Any, ...]:
        """Return the tokens of the clause that ``token`` stands in: up to its verb, and down to where another begins.

        What another clause says ("after you sign your statement", "he never did") is no part of it.
        """
        top = token
        while not _begins_clause(top) and top.head.i != top.i:
            top = top.head
        found, waiting = [], [top]
        while waiting:
            each = waiting.pop()
            found.append(each)
            waiting += (child for child in each.children if not _begins_clause(child))
        return tuple(found)

    @cached_property
    def is_asked(self) -> bool:
        """Return whether the sentence asks: by its mark, or by a verb before its "you"."""
        if self.words.rstrip(" x\"')").endswith("?"):
            return True
        first = next(iter(self.parsed), None)
        if first is None or first.norm_ not in _ASKING:
            return False
        return len(self.parsed) > 1 and self.parsed[1].norm_ in YOU | I | {"we"}

    @cached_property
    def is_told(self) -> bool:
        """Return whether the reader is told to do something: a verb without a subject heads the sentence."""
        return any(self.is_order(token) for token in self.parsed if token.dep_ in {"ROOT", "conj", "ccomp"})

    def is_order(self, verb: Any) -> bool:
        """Return whether ``verb`` is an order: its base form, and nobody said to do it but perhaps "you"."""
        if verb.tag_ not in _SPOKEN_TO and not _is_mistaken(verb):
            return False
        subjects = {child.norm_ for child in verb.children if child.dep_ in SUBJECTS}
        helped = {child.norm_ for child in verb.children if child.dep_ == "aux"} - {"do"}
        return subjects <= YOU and not helped

    def is_called(self, name: Any) -> bool:
        """Return whether the reader is called by ``name``: it stands alone at the end, or behind a comma or a greeting."""
        after = [
            token
            for token in self.parsed
            if token.i > name.i and not token.is_punct and token.norm_ not in _KISSES
        ]
        before = self.parsed[name.i - 1] if name.i else None
        if before is None:
            return bool(after) and self.parsed[name.i + 1].is_punct
        apart = before.is_punct or before.norm_ in _GREETINGS
        return apart and (not after or self.parsed[name.i + 1].is_punct)

    def is_negated(self, verb: Any) -> bool:
        """Return whether ``verb``, or the verb it hangs on, is denied."""
        at = [verb, verb.head] if verb.dep_ in {"xcomp", "ccomp", "acl", "pcomp"} else [verb]
        return any(child.dep_ == "neg" or child.norm_ in _DENIALS for each in at for child in each.children)

    @cached_property
    def is_refusal(self) -> bool:
        """Return whether the officer declines: "I can't accept it", "I won't give you my own number", "I shall not be looking".

        So does who spares the reader something: "no need to send pictures of yourself". What is declined must be the officer's own doing; "I can't stop thinking of you" and "I won't tell anyone" are no
        refusals.
        """
        return any(_declines(token) or _spares(token) for token in self.parsed)

    @property
    def names_others(self) -> bool:
        """Return whether a third person is spoken of."""
        return bool(self.keys & _OTHERS)


def _begins_clause(token: Any) -> bool:
    """Return whether a clause of its own begins with ``token``; two nouns that are joined are no clauses."""
    return token.dep_ in _CLAUSES and (token.dep_ != "conj" or token.pos_ in {"VERB", "AUX"})


def _is_mistaken(verb: Any) -> bool:
    """Return whether an order was taken for a noun, as verbs at the head of a note are ("Bin this")."""
    children = {child.dep_ for child in verb.children}
    return verb.tag_ in {"NN", "NNP"} and "dobj" in children and "det" not in children


def does(verb: Any, who: frozenset[str]) -> Any | None:
    """Return who of ``who`` does ``verb``; the verb itself where the writer left out the "I": "Left you a card"."""
    at = verb
    while True:
        subjects = [child for child in at.children if child.dep_ in SUBJECTS]
        if subjects:
            return next((child for child in subjects if child.norm_ in who), None)
        if at.dep_ not in {"conj", "xcomp"} or at.head.i == at.i:
            break
        at = at.head
    is_left_out = who & I and at.i <= _EARLY and at.dep_ in {"ROOT", "ccomp", "advcl"}
    return verb if is_left_out and at.tag_ in _TOLD_OF else None


_EARLY: Final = 1
"""A verb without a subject at the head of a sentence, or behind one word: "Just left you a card"."""
_TOLD_OF: Final = frozenset({"VBD", "VBN", "VBG", "MD"})

_DECLINED: Final = keys_of_words(
    "accept give take meet come go do join reply continue socialise add follow look check search run send have keep swap "
    "connect visit call see lend buy pay share message chat discuss consult"
)
_MAY_NOT: Final = frozenset(
    {"can", "could", "will", "would", "must", "should", "shall", "may", "be", "do", "ca", "wo", "sha"}
)


def _declines(verb: Any) -> bool:
    """Return whether ``verb`` is something the officer or the team will not or must not do."""
    if verb.norm_ in {"decline", "refuse"}:
        return any(child.norm_ in I | WE for child in verb.children if child.dep_ in SUBJECTS)
    if verb.norm_ == "say" and any(child.norm_ == "no" for child in verb.children):
        return does(verb, I | WE) is not None
    return verb.norm_ in _DECLINED and (_will_not(verb) or _may_not(verb))


def _will_not(verb: Any) -> bool:
    """Return whether "I" or "we" cannot, will not or should not do ``verb``."""
    denied = any(child.dep_ == "neg" and child.norm_ == "not" for child in verb.children)
    helped = {child.norm_ for child in verb.children if child.dep_ in {"aux", "auxpass"}} & _MAY_NOT
    own = any(child.norm_ in I | WE for child in verb.children if child.dep_ in SUBJECTS)
    return bool(denied and helped and own)


def _may_not(verb: Any) -> bool:
    """Return whether somebody is not able or allowed to do ``verb``."""
    up = verb.head
    if verb.dep_ not in {"xcomp", "ccomp", "acl"}:
        return False
    permitted = up.norm_ in _PERMITTED or any(child.norm_ in _PERMITTED for child in up.children)
    above = (up, up.head) if up.dep_ == "acomp" else (up,)  # the "not" of "won't be able" hangs on "be"
    denied = any(child.dep_ == "neg" for each in above for child in each.children)
    return up.norm_ == "unable" or (permitted and denied)


def _spares(verb: Any) -> bool:
    """Return whether ``verb`` is something that the reader is told she need not send: "no need to send a picture"."""
    if verb.norm_ not in _SENT:
        return False
    at = (verb, verb.head) if verb.dep_ in {"xcomp", "acl", "relcl", "ccomp"} else (verb,)
    words = {each.norm_ for each in at} | {child.norm_ for each in at for child in each.children}
    return bool(words & _NEED) and bool(words & _DENIALS)


_SENT: Final = keys_of_words("send include attach upload share")
_NEED: Final = keys_of_words("need have necessary required")


_PERMITTED: Final = keys_of_words("able allowed permitted appropriate professional right proper")
_DENIALS: Final = frozenset({"not", "never", "no", "nothing", "nowt", "nobody", "none", "nor", "neither"})
