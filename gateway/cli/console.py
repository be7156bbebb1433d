"""`gateway console`: the process that shows supervisors what waits. It shares the store with `serve` and sends nothing."""

from gateway.cli.invocation import ConfigOption, settings_from
from gateway.store import Store


def console(config: ConfigOption = None) -> None:
    """Run the supervisors' console until SIGTERM or SIGINT.

    The store must be there and up to date: `gateway store init`, `gateway serve`. Accounts: `gateway accounts`.
    """
    from gateway.console.desk import Desk
    from gateway.console.serving import run

    settings = settings_from(config)
    with Store.open(settings.store) as store:
        run(Desk.make(store, settings))
