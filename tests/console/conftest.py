"""The fixtures of this folder are in `console_fixtures`, which the tests of the item page share."""

from console_fixtures import console, console_store, peopled, registry_settings, reviewer

__all__ = ["console", "console_store", "peopled", "registry_settings", "reviewer"]
