"""`gateway rules`: what a rule author asks of a rule set before it acts, and how it is put in force.

Owns the list of the group's commands; each lives in a module beside this one. `sets` says which rule set a command
means, `mail` which mail; `check` holds lint, test and schema, `compare` backtest and diff, `cover` coverage, `promote`
what a rule on trial found and how it moves up; `reload`
puts a set in force.
"""

import typer

from gateway.cli.rules.check import lint, schema, try_examples
from gateway.cli.rules.compare import backtest, diff
from gateway.cli.rules.cover import coverage
from gateway.cli.rules.promote import promote, shadow
from gateway.cli.rules.reload import reload
from gateway.cli.rules.sets import rule_folders

__all__ = ["app", "rule_folders"]

app = typer.Typer(no_args_is_help=True, help="Check and try the rules.")
app.command()(lint)
app.command("test")(try_examples)
app.command()(backtest)
app.command()(diff)
app.command()(coverage)
app.command()(promote)
app.command()(shadow)
app.command()(schema)
app.command()(reload)
