"""The fixtures of this folder are in `store_fixtures`, which the tests of the store share."""

from store_fixtures import backend, cluster, lite, postgresql, settings, sqlite, store

__all__ = ["backend", "cluster", "lite", "postgresql", "settings", "sqlite", "store"]
