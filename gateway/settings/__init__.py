"""Settings: declared in `declared`, read from file and environment by `load`.

An adapter: it owns the settings file and the environment variables and nothing else. A stage is handed its own
section as a frozen value and never comes here.
"""

from gateway.settings.alerting import HealthSettings, WebhookSettings
from gateway.settings.checks import is_host, listen_address
from gateway.settings.declared import (
    ConsoleSettings,
    ConsoleTls,
    InspectionSettings,
    LogSettings,
    NextHopSettings,
    NoticeSettings,
    OidcSettings,
    PolicySettings,
    RegistrySettings,
    RulesSettings,
    Settings,
    SmtpSettings,
    SmtpTls,
    StoreSettings,
)
from gateway.settings.delivering import OutboxSettings
from gateway.settings.interface import ApiSettings
from gateway.settings.listing import Declared, declared_settings, sections, written
from gateway.settings.loading import Loaded, Origin, OriginKind, load
from gateway.settings.reviewing import LONGEST_UNDO_S, ReviewSettings

__all__ = [
    "LONGEST_UNDO_S",
    "ApiSettings",
    "ConsoleSettings",
    "ConsoleTls",
    "Declared",
    "HealthSettings",
    "InspectionSettings",
    "Loaded",
    "LogSettings",
    "NextHopSettings",
    "NoticeSettings",
    "OidcSettings",
    "Origin",
    "OriginKind",
    "OutboxSettings",
    "PolicySettings",
    "RegistrySettings",
    "ReviewSettings",
    "RulesSettings",
    "Settings",
    "SmtpSettings",
    "SmtpTls",
    "StoreSettings",
    "WebhookSettings",
    "declared_settings",
    "is_host",
    "listen_address",
    "load",
    "sections",
    "written",
]
