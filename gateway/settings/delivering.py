"""The settings of the outbox: when what was approved is tried again, and for how long what went out is kept."""

from gateway.settings.section import Section, days, setting


class OutboxSettings(Section):
    """Delivery of what was approved."""

    poll_s: float = setting(1.0, "How often the outbox is looked at.", unit="s", gt=0)
    lease_s: float = setting(
        900.0,
        "How long one process may work on a delivery.",
        unit="s",
        why="longer than next_hop.data_timeout_s",
        gt=0,
    )
    first_retry_s: float = setting(
        30.0, "Wait after the first failed try; doubles each time.", unit="s", gt=0
    )
    max_retry_s: float = setting(3600.0, "Longest wait between tries.", unit="s", gt=0)
    max_tries: int = setting(
        60, "Temporary failures after which a delivery is shown as failed and waits for a person.", ge=1
    )
    max_interrupted: int = setting(
        3,
        "Interruptions after which a release is shown as failed and waits for a person, who asks the smarthost's log whether it arrived.",
        unit="tries",
        why="each may have delivered it: the process ended, or the smarthost was silent, before its answer was stored",
        ge=1,
    )
    kept_days: float = days(
        90.0,
        "How long a notice to reviewers or a call of the webhook is kept once it was delivered, and a digest that failed. "
        "Releases and returns are kept for good.",
        why="a quarter, to look up who was told; the audit log says so for ever",
        ge=1,
    )
