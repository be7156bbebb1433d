"""The settings of deciding: docs/decisions/0023 says why they are as they are."""

from typing import Literal

from gateway.settings.section import Section, setting

LONGEST_UNDO_S = 3600.0
"""The most that `review.undo_s` may be: so far ahead a release may be dated that was never tried."""


class ReviewSettings(Section):
    """Deciding on holds and flags: how long, by how many, and in which words."""

    claim_s: float = setting(
        900.0,
        "How long an item stays claimed by the reviewer who opened it to decide.",
        unit="s",
        why="a telephone call to the contact, and room; a claim that is forgotten must not keep an item waiting",
        ge=10,
        le=86_400,
    )
    claim_warning_s: float = setting(
        120.0,
        "How long before a claim ends its page says so.",
        unit="s",
        why="time to finish a sentence and press one key",
        ge=0,
        le=3600,
    )
    undo_s: float = setting(
        10.0,
        "How long an approved release waits for second thoughts before it is sent.",
        unit="s",
        why="the mail cannot be called back afterwards",
        ge=0,
        le=LONGEST_UNDO_S,
    )
    min_reason_chars: int = setting(
        5, "Shortest reason to release a hold, in one's own words.", unit="characters", ge=2, le=1000
    )
    max_text_chars: int = setting(
        10_000,
        "Longest reason, note, or words to the officer.",
        unit="characters",
        why="three pages; what is longer belongs into the case file",
        ge=100,
        le=100_000,
    )
    two_person_severity: Literal["", "low", "medium", "high", "critical"] = setting(
        "critical",
        "From this severity on, a second person must agree before a hold is released; empty: no severity.",
    )
    two_person_categories: tuple[str, ...] = setting(
        (), "Categories whose findings ask for that second person whatever their severity."
    )
    releases_before_psd: int = setting(
        1,
        "Releases of one officer's holds that reviewers may approve in the window; the next one needs professional "
        "standards. 0: any number.",
        unit="releases",
        ge=0,
    )
    release_window_days: int = setting(
        365, "How far back an officer's releases are counted for that.", unit="days", why="a year", ge=1
    )
    return_texts: dict[str, str] = setting(
        {
            "speak-to-supervisor": "Please speak to your supervisor before you write to this person again.",
            "write-again": "Please write to this person again, about the case alone, and copy in your supervisor.",
        },
        "Words to the officer that a reviewer may choose when a hold is returned, by the name they are shown under.",
    )
    reasons: tuple[str, ...] = setting(
        (
            "Not professional; to be written again.",
            "For professional standards to assess.",
            "Ordinary police business.",
        ),
        "Reasons that are offered. To release a hold they are refused: that takes one's own words.",
    )
    resend_days: int = setting(
        30,
        "How long after a hold a message to the same contact is looked at as a new version of it.",
        unit="days",
        ge=1,
    )
    resend_similarity: float = setting(
        0.4,
        "Share of their words that two messages have in common to be versions of one.",
        ge=0,
        le=1,
    )
    max_leave_days: int = setting(
        28,
        "Longest leave that professional standards may give the oversight body to read the text of one item.",
        unit="days",
        why="a look into one case; whoever needs longer asks again",
        ge=1,
        le=366,
    )
