"""The victim-contact boundary gateway: an SMTP relay in front of a police force's smarthost.

The road of a message, and the file that owns each stretch of it:

    receive     SMTP in: who may connect, limits, the outcome as a reply line
    identify    who: addresses -> officer, contact, case
    extract     what did the officer write: MIME bytes -> Authored
    inspection  what does it say: rules, language cues, history -> findings
    decide      findings, defects, parties and policy -> one Verdict
    rehearsal   the three in a row over mail that is there already: ordinary mail, new rules against old
    pipeline    the conductor: the only file that knows the order and records before it acts
    relay       SMTP out: the in-session transaction, and deliveries from the outbox
    outbox      what was approved goes out, retried until the smarthost has taken it
    webhook     the call to the on-call system about an urgent hold, from the outbox
    store       one relational database; audit: the hash chain in it
    review      who may decide what, and the decisions themselves

`model` holds the nouns and `errors` the few exceptions; both import nothing of ours.
"""

__version__ = "0.1.0"
