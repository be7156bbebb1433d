"""`gateway settings`: every setting with its value, default, unit, reason, and where the value came from.

docs/settings.md is what ``--markdown`` prints; a test holds the two together.
"""

from typing import Annotated
from urllib.parse import urlsplit

import typer

from gateway.cli.invocation import ConfigOption, JsonOption, emit, loaded_from
from gateway.settings import Declared, Loaded, OriginKind, declared_settings, sections, written


def settings(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Print the reference page; it shows defaults, not values in force."),
    ] = False,
) -> None:
    """Print every setting: its value in force, default and unit, what it does, and where it came from.

    Secrets are shown as ***. Every mistake in the settings is printed with its place; then the exit code is 2.
    """
    if markdown:
        typer.echo(reference(), nl=False)
        return
    loaded = loaded_from(config)
    section = ""
    for setting in declared_settings():
        if as_json:
            emit(_line(setting, loaded))
            continue
        if setting.path[0] != section:
            section = setting.path[0]
            typer.echo(f"{section}: {dict(sections())[section]}")
        typer.echo(_paragraph(setting, loaded))


def reference() -> str:
    """Return docs/settings.md: the same on every machine."""
    lines = [
        "# Settings",
        "",
        "Printed by `gateway settings --markdown`; do not edit. One YAML file (`--config`, else `./gateway.yaml`) and the",
        "environment, which wins: the variable of `smtp.tls.cert` is `GATEWAY_SMTP__TLS__CERT`. There a list is JSON or",
        "separated by commas, a table is JSON. Relative paths are relative to the folder of the file. All mistakes are",
        "reported in one run, each with file, line and column. `gateway settings` prints the values in force and where",
        "each came from.",
    ]
    declared = declared_settings()
    for section, says in sections():
        lines += [
            "",
            f"## {section}",
            "",
            says,
            "",
            "| setting | default | unit | what it does |",
            "|---|---|---|---|",
        ]
        lines += [_row(setting) for setting in declared if setting.path[0] == section]
    return "\n".join(lines) + "\n"


def _row(setting: Declared) -> str:
    why = f" Default: {setting.why}." if setting.why else ""
    choices = f" One of {', '.join(f'`{choice}`' for choice in setting.choices)}." if setting.choices else ""
    cells = (
        f"`{setting.name}`",
        f"`{written(setting.default)}`",
        setting.unit,
        f"{setting.says}{choices}{why}",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _line(setting: Declared, loaded: Loaded) -> dict[str, object]:
    origin = loaded.origins[setting.name]
    return {
        "name": setting.name,
        "value": shown(setting, loaded),
        "default": written(setting.default),
        "unit": setting.unit,
        "says": setting.says,
        "why": setting.why,
        "origin": origin.kind.value,
        "place": origin.place,
        "variable": setting.variable,
    }


def _paragraph(setting: Declared, loaded: Loaded) -> str:
    origin = loaded.origins[setting.name]
    unit = f" {setting.unit}" if setting.unit else ""
    came = f"{origin.place}; default {written(setting.default)}"
    source = "default" if origin.kind is OriginKind.DEFAULT else came
    why = f" ({setting.why})" if setting.why else ""
    return f"  {setting.name} = {shown(setting, loaded)}{unit}  [{source}]\n      {setting.says}{why}"


def shown(setting: Declared, loaded: Loaded) -> str:
    """Return the value in force as people may see it: a secret, and the password in a URL, as ``***``."""
    text = written(setting.value_in(loaded.settings))
    if setting.secret:
        return "***" if setting.value_in(loaded.settings) else '""'
    if "://" in text and "@" in text:
        password = urlsplit(text).password
        return text.replace(f":{password}@", ":***@", 1) if password else text
    return text
