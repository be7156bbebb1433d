"""Stage 4 of the road, inspection: rules and what the officer wrote -> findings.

The face of the stage. `read` finds rule files (and is the only thing here that touches the disk besides the
language model), `check` names what is wrong with them, `policy_of` gives policy.yaml, `load` compiles an `Engine`,
and `Engine.judge` depends on its arguments alone. Findings are proposals; `decide` makes the verdict.

Inside: `nodes` (YAML and its traps), `schema` (what a file may hold), `rules` (how files hang together), `when`,
`shadow` (folded text, sentences, the way back), `lookalikes` and `disguises` (what a reader makes of odd letters),
`lexicon` (words), `literals` (what an expression cannot do without), `matching` (patterns), `relations` (who
does what to whom, over the parse), `encoder` and `wordpiece` (the model), `cues` (both behind one face), `hearing` (how cues count),
`attribution` (whose words), `earlier` (words that we sent before), `conduct` (what is known beside the words), `patterns`
(rules over findings), `engine`, `lint` (the grade for promotion).
"""

from functools import lru_cache

from gateway.errors import Mistake, Mistakes
from gateway.inspection import cues, encoder, lexicon
from gateway.inspection.bundle import Bundle, BundleFile, read, read_benign
from gateway.inspection.conduct import traits
from gateway.inspection.earlier import quoted_lines, written_lines
from gateway.inspection.engine import Engine
from gateway.inspection.rules import RuleSet, house_style_of_bundle, policy_of_bundle, rule_set
from gateway.inspection.shadow import fold, shadow_of
from gateway.model import HouseStyle, Policy

__all__ = [
    "Bundle",
    "BundleFile",
    "Engine",
    "check",
    "house_style_of",
    "language_layer",
    "load",
    "policy_of",
    "quoted_lines",
    "read",
    "read_benign",
    "rules_of",
    "sentence_spans",
    "traits",
    "warm_up",
    "written_lines",
]


def warm_up(*, language: bool = True) -> None:
    """Load what every rule set needs, before a worker's memory is bounded and before the first message waits."""
    lexicon.tokenizer()
    lexicon.canonical("warm")
    fold("\u0430")
    if language:
        cues.warm()


def language_layer(*, language: bool) -> str:
    """Return what of the language engine is in force, in words for doctor and log. Loads nothing."""
    if not language:
        return "off (inspection.language): words are read, relations and veiled wording are not"
    return encoder.absence() or f"relations, and model {encoder.digest()[:12]}"


def remember(windows: int) -> None:
    """Let the encoder of this process remember the scores of so many windows; its numbers do not depend on it."""
    made = encoder.encoder()
    if made is not None:
        made.remember(windows)


def sentence_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return the span of each sentence of ``text``, as rules see them."""
    return shadow_of(text).spans


def check(bundle: Bundle) -> tuple[Mistake, ...]:
    """Return every mistake of load grade, each with file, line and column; empty when the set may be loaded."""
    return rule_set(bundle)[1]


def rules_of(bundle: Bundle) -> RuleSet:
    """Return the rules of ``bundle`` without compiling them; raises `Mistakes`."""
    rules, mistakes = rule_set(bundle)
    if rules is None:
        raise Mistakes(mistakes)
    return rules


def policy_of(bundle: Bundle) -> Policy:
    """Return the policy of ``bundle``; reads no rule and needs no language model. Raises `Mistakes`."""
    policy, mistakes = policy_of_bundle(bundle)
    if policy is None or mistakes:
        raise Mistakes(mistakes)
    return policy


def house_style_of(bundle: Bundle) -> HouseStyle:
    """Return what reading a mail must know of the force, from the lists of ``bundle``. Raises `Mistakes`."""
    style, mistakes = house_style_of_bundle(bundle)
    if mistakes:
        raise Mistakes(mistakes)
    return style


@lru_cache(maxsize=4)
def load(bundle: Bundle, *, language: bool, drafts: bool = False, with_encoder: bool = True) -> Engine:
    """Return the engine for ``bundle``, compiled once a process; raises `Mistakes`, all of them.

    ``drafts`` includes draft rules: for `gateway rules test`, never for mail. ``with_encoder`` false leaves relations
    alone: to see what each layer is worth.
    """
    rules = rules_of(bundle)
    return Engine(rules, bundle.hash, language=language, drafts=drafts, with_encoder=with_encoder)
