"""The table of the evasion suite: ``make evasion`` prints it and writes docs/evasion.md."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evasion.md"
ADVANCE = "Fancy a drink after work tonight?"
TWIN = "Could you bring some identification with you?"


def header() -> str:
    """Return what stands above the table."""
    return f"""# Ways around a filter, and what becomes of them

`make evasion` prints this page. Each row is one technique. The same mail is judged twice, with the rules and the policy
that ship, in hold mode: once with an advance in it ("{ADVANCE}"), once with a proper sentence in the same dress
("{TWIN}"). The advance must be found, or not pass; the proper twin must pass, unless the dress itself would
strike a person: then the last column says as what. tests/evasion holds both for a second pair of sentences as well.

| family | technique | the advance | why | its twin | what is odd about it |
|---|---|---|---|---|---|
"""


def row(technique, verdict_of) -> str:
    """Return one line of the table; without verdicts when none are asked for."""
    if verdict_of is None:
        return f"| {technique.family} | {technique.name} |"
    from road_of_one import because

    advance, twin = verdict_of(technique.make(ADVANCE)), verdict_of(technique.make(TWIN))
    cells = (
        technique.family,
        technique.name,
        advance.action.value,
        because(advance),
        twin.action.value,
        technique.odd,
    )
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Judge every technique, print the table and write the page."""
    from road_of_one import verdict
    from techniques import TECHNIQUES

    text = header() + "\n".join(row(technique, verdict) for technique in TECHNIQUES) + "\n"
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
