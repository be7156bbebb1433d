"""Stage 8, review: who may see and decide what, and the decisions themselves.

`access` is the one access check, `decisions` what a decision writes. Nothing here can send mail, by construction: a
release is a row in the outbox, and `serve` delivers it.
"""
