"""Plain text that is not written as it is shown: format=flowed (RFC 3676) and text/enriched (RFC 1896).

Owns turning it into the lines that a mail program shows. Refuses to know what is quoted. Used by `reading`; what comes
out is the decoded text of the part, into which offsets point. Total and linear.
"""

import re

_SIGNATURE = "-- "
_COMMAND = re.compile(r"<<|<(/?)([A-Za-z0-9-]{1,60})>")
_UNSEEN = frozenset({"param", "comment"})
"""Commands of text/enriched whose content is not shown."""


def unflowed(text: str, *, delete_space: bool) -> str:
    """Return format=flowed text with its soft line breaks undone and stuffed spaces taken away.

    ``delete_space`` (DelSp=yes) drops the space that marks a soft break, so that a word split there is whole again.
    Lines of different quote depth are never joined, and the signature mark ends a paragraph (RFC 3676 section 4).
    """
    lines: list[str] = []
    depth_before = -1  # no paragraph is open
    for line in text.split("\n"):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        bare = bare.removeprefix(" ")
        is_soft = bare.endswith(" ") and bare != _SIGNATURE
        kept = bare[:-1] if is_soft and delete_space else bare
        if depth == depth_before and bare != _SIGNATURE:
            lines.append(kept)
        else:
            mark = f"{'>' * depth} " if depth else ""
            lines += ("\n", mark, kept) if lines else (mark, kept)
        depth_before = depth if is_soft else -1
    return "".join(lines)


def enriched_text(text: str) -> str:
    """Return the words of text/enriched or text/richtext, without its commands; what they hide stays, as it is."""
    pieces: list[str] = []
    position = 0
    for command in _COMMAND.finditer(text):
        pieces.append(text[position : command.start()])
        if command[0] == "<<":
            pieces.append("<")
        elif command[2].lower() in _UNSEEN or command[2].lower() in {"nl", "np"}:
            pieces.append("\n")
        position = command.end()
    pieces.append(text[position:])
    return "".join(pieces)
