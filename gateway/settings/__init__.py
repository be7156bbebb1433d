"""Settings: declared in `declared`, read from file and environment by `load`.

An adapter: it owns the settings file and the environment variables and nothing else. A stage is handed its own
section as a frozen value and never comes here.
"""

from gateway.settings.declared import (
    ConsoleSettings,
    InspectionSettings,
    LogSettings,
    NextHopSettings,
    NoticeSettings,
    OutboxSettings,
    PolicySettings,
    RegistrySettings,
    RulesSettings,
    Settings,
    SmtpSettings,
    SmtpTls,
    StoreSettings,
)
from gateway.settings.loading import Loaded, Origin, OriginKind, load

__all__ = [
    "ConsoleSettings",
    "InspectionSettings",
    "Loaded",
    "LogSettings",
    "NextHopSettings",
    "NoticeSettings",
    "Origin",
    "OriginKind",
    "OutboxSettings",
    "PolicySettings",
    "RegistrySettings",
    "RulesSettings",
    "Settings",
    "SmtpSettings",
    "SmtpTls",
    "StoreSettings",
    "load",
]
