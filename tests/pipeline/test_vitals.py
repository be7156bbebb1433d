"""How long stages take, as Prometheus is told: each bucket holds those below it too."""

from gateway.vitals import BOUNDS_S, Stage, Vitals


def test_each_bucket_holds_what_took_no_longer_than_its_bound(monkeypatch):
    """Prometheus adds up: a bucket counts all that is in the ones before it, and the last one everything."""
    vitals = Vitals()
    now = 0.0
    monkeypatch.setattr("gateway.vitals.time.monotonic", lambda: now)
    for took in (0.0, 0.01, 0.011, 0.3, 60.0, 61.0):
        now = 0.0
        with vitals.timed(Stage.READ):
            now = took
    lines = "".join(vitals.lines()).splitlines()
    read = [line for line in lines if line.startswith("gateway_stage_seconds") and 'stage="read"' in line]
    counts = [int(line.rsplit(" ", 1)[1]) for line in read if "_bucket" in line]
    assert counts == [2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 5, 6]
    assert len(counts) == len(BOUNDS_S) + 1
    assert 'gateway_stage_seconds_count{stage="read"} 6' in read
    judged = [line for line in lines if 'stage="judge"' in line and "_seconds" in line]
    assert all(line.endswith(" 0") for line in judged)
