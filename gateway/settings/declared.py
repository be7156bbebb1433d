"""Every setting once: its name, default, unit, the sentence that explains it, and why the default is what it is.

`Settings` is read from one YAML file and from the environment (``GATEWAY_SECTION__NAME``, which wins) by
`loading`. docs/settings.md is printed from here. Each stage is handed its own section and knows no other.
Rules that one field cannot tell about itself, such as which settings belong together, are in `checks`.
"""

from pathlib import Path
from typing import Literal

from gateway.model import Limits, Mode
from gateway.settings.alerting import HealthSettings, WebhookSettings
from gateway.settings.delivering import OutboxSettings
from gateway.settings.interface import ApiSettings
from gateway.settings.reviewing import ReviewSettings
from gateway.settings.section import Section as _Section
from gateway.settings.section import days as _days
from gateway.settings.section import setting as _setting


class SmtpTls(_Section):
    """STARTTLS on our side."""

    cert: Path | None = _setting(None, "Certificate chain, PEM. STARTTLS is offered when set.")
    key: Path | None = _setting(None, "Private key of the certificate, PEM.")
    required: bool = _setting(False, "Refuse MAIL before STARTTLS with 530.")


class SmtpSettings(_Section):
    """SMTP in: who may connect, and how much of anything."""

    listen: str = _setting("127.0.0.1:2525", "Address and port of the relay.")
    hostname: str = _setting("", "Name in the banner and in our Received line; empty: this host's name.")
    allow_from: tuple[str, ...] = _setting(
        ("127.0.0.0/8", "::1/128"), "Networks that may relay; everybody else is refused with 550 5.7.1."
    )
    tls: SmtpTls = SmtpTls()
    max_message_bytes: int = _setting(
        36_700_160, "Largest message.", unit="octets", why="Exchange Online's 35 MiB", ge=1024
    )
    max_line_bytes: int = _setting(
        1_000_000,
        "Longest line in DATA, with CRLF.",
        unit="octets",
        why="real mail has lines over RFC 5321's 1,000",
        ge=1000,
    )
    max_header_bytes: int = _setting(
        1_048_576,
        "Largest header block.",
        unit="octets",
        why="ten times Postfix's 102,400: evidence is not cut",
        ge=1024,
    )
    max_received_lines: int = _setting(
        50, "Received lines after which a message is a loop.", why="Postfix hopcount_limit", ge=1
    )
    max_recipients: int = _setting(
        100, "Recipients a message.", why="RFC 5321 section 4.5.3.1.8 asks for 100", ge=1
    )
    max_command_bytes: int = _setting(
        2048,
        "Longest command line, with CRLF.",
        unit="octets",
        why="RFC 5321's 512 and room for SMTPUTF8 paths",
        ge=512,
    )
    max_errors: int = _setting(
        20,
        "Refused commands after which the connection is closed.",
        why="Postfix smtpd_hard_error_limit",
        ge=1,
    )
    max_commands: int = _setting(
        10_000, "Commands a connection.", why="thousands of messages; a flood of NOOP ends", ge=10
    )
    max_junk_commands: int = _setting(
        100,
        "NOOP, RSET, VRFY, HELP and EHLO without a message between them.",
        why="Postfix smtpd_junk_command_limit",
        ge=1,
    )
    idle_timeout_s: float = _setting(
        300.0, "Longest silence of a client.", unit="s", why="RFC 5321 section 4.5.3.2.7", gt=0
    )
    data_timeout_s: float = _setting(
        600.0,
        "Longest time for one DATA upload.",
        unit="s",
        why="RFC 5321 section 4.5.3.2.6 for the last dot",
        gt=0,
    )
    session_timeout_s: float = _setting(
        3600.0, "Longest life of a connection.", unit="s", why="a connection is no lease", gt=0
    )
    max_connections: int = _setting(500, "Connections at once; one more gets 421.", ge=1)
    max_connections_per_client: int = _setting(
        100,
        "Connections at once from one address; one more gets 421.",
        why="Postfix default_process_limit",
        ge=1,
    )
    max_messages_in_flight: int = _setting(
        200, "Messages in DATA at once; one more waits, then gets 451.", ge=1
    )
    max_bytes_in_flight: int = _setting(
        536_870_912,
        "Octets of messages held in memory at once.",
        unit="octets",
        why="half a GiB a process",
        ge=1_048_576,
    )
    in_flight_wait_s: float = _setting(
        30.0,
        "Longest wait of a message for room among those in flight; then it gets 451.",
        unit="s",
        why="well within the two minutes a client waits for 354 (RFC 5321 section 4.5.3.2.4)",
        gt=0,
    )
    drain_timeout_s: float = _setting(
        60.0, "At SIGTERM, time that messages in DATA get to finish.", unit="s", gt=0
    )


class NextHopSettings(_Section):
    """SMTP out: the force's smarthost."""

    url: str = _setting(
        "smtp://127.0.0.1:2600", "smtp:// plain, smtp+starttls:// or smtps:// with host and port."
    )
    user: str = _setting("", "Name for AUTH PLAIN or LOGIN; empty: no AUTH.")
    password: str = _setting("", "Password for AUTH.", secret=True)
    password_file: Path | None = _setting(None, "File that holds the password.")
    ca_file: Path | None = _setting(None, "CA certificates to trust, PEM; none: the system's.")
    verify: bool = _setting(True, "Verify the smarthost's certificate and name.")
    hostname: str = _setting("", "Name in our EHLO; empty: smtp.hostname.")
    max_connections: int = _setting(50, "Connections to the smarthost at once.", ge=1)
    connect_timeout_s: float = _setting(15.0, "Time for connect, banner, TLS and EHLO.", unit="s", gt=0)
    command_timeout_s: float = _setting(60.0, "Time for one reply to MAIL or RCPT.", unit="s", gt=0)
    data_timeout_s: float = _setting(
        600.0, "Time for the reply after the dot.", unit="s", why="RFC 5321 section 4.5.3.2.6", gt=0
    )
    reuse_messages: int = _setting(100, "Messages after which a connection is retired.", ge=1)
    reuse_idle_s: float = _setting(30.0, "Idle time after which a connection is retired.", unit="s", gt=0)


class StoreSettings(_Section):
    """The database, and the key that seals mail in it."""

    url: str = _setting("sqlite:///var/gateway.db", "SQLAlchemy URL: sqlite:/// or postgresql+psycopg://")
    key_file: Path = _setting(
        Path("var/sealing.key"), "Sealing keys; made by `gateway store init` and nobody else."
    )
    busy_timeout_s: float = _setting(
        5.0, "How long a write waits for another process's lock.", unit="s", gt=0
    )
    write_timeout_s: float = _setting(
        20.0, "How long a message waits for its record; then 451.", unit="s", gt=0
    )
    retry_key_days: float = _days(
        5.0,
        "How long a repeated message is known again.",
        why="Postfix maximal_queue_lifetime",
        gt=0,
    )
    history_days: int = _days(
        90,
        "Window of earlier mail and findings between an officer and a contact.",
        why="a quarter: monthly updates show",
        ge=1,
    )
    ledger_days: int = _days(
        400,
        "How long the ledger says who wrote to whom and which rules came true; no words. Patterns reach as far.",
        why="a year, as patterns are counted, and room for a leave",
        ge=1,
    )
    weak_cue_days: int = _days(90, "How long a cue too weak for a finding is remembered, by category.", ge=1)
    history_messages: int = _setting(
        60,
        "Earlier messages of a contact, and earlier findings of an officer, that a verdict takes into account.",
        unit="rows",
        why="two thirds of a mail a day for a quarter; each row costs every message 10 microseconds",
        ge=20,
        le=10_000,
    )


class RegistrySettings(_Section):
    """Who is a contact and who is staff."""

    source: Literal["files", "api"] = _setting(
        "files",
        "Where the two lists come from: the files below, or what the records system pushes through the HTTP API.",
    )
    contacts: Path = _setting(Path("contacts.csv"), "Contact list, CSV.")
    staff: Path = _setting(Path("staff.csv"), "Staff list, CSV.")
    domains: tuple[str, ...] = _setting((), "The force's own mail domains: their addresses count as staff.")
    plus_tag_domains: tuple[str, ...] = _setting(
        ("*",), "Domains where local+tag is the mailbox local; * is every domain."
    )
    dotless_domains: tuple[str, ...] = _setting(
        ("gmail.com", "googlemail.com"), "Domains whose local parts mean the same without dots."
    )
    max_age_h: float = _setting(
        26.0,
        "Age of the files after which the registry is stale.",
        unit="hours",
        why="a daily export and two hours' grace",
        gt=0,
    )
    max_loss_percent: float = _setting(
        10.0,
        "Share of its people that a new contact or staff list may lose before it is refused.",
        unit="%",
        ge=0,
        le=100,
    )
    check_every_s: float = _setting(60.0, "How often the files are looked at.", unit="s", gt=0)
    last_good: Path = _setting(
        Path("var/registry.json"),
        "Where the last good registry is kept across restarts; personal data, so only its owner may read it.",
    )
    same_domains: dict[str, str] = _setting(
        {
            "googlemail.com": "gmail.com",
            "mac.com": "icloud.com",
            "me.com": "icloud.com",
            "pm.me": "proton.me",
            "protonmail.com": "proton.me",
        },
        "Domains that are the mailboxes of another domain under a second name.",
    )
    consumer_domains: tuple[str, ...] = _setting(
        (
            "aol.com",
            "btinternet.com",
            "gmail.com",
            "gmx.co.uk",
            "gmx.com",
            "hotmail.co.uk",
            "hotmail.com",
            "icloud.com",
            "live.co.uk",
            "live.com",
            "mail.com",
            "msn.com",
            "ntlworld.com",
            "outlook.com",
            "proton.me",
            "sky.com",
            "talktalk.net",
            "tiscali.co.uk",
            "virginmedia.com",
            "yahoo.co.uk",
            "yahoo.com",
            "ymail.com",
        ),
        "Domains of private mailboxes: one there with an officer's or contact's full name counts as theirs.",
    )
    max_file_bytes: int = _setting(
        268_435_456,
        "Largest contact or staff list.",
        unit="octets",
        why="a million rows of 200 octets, and room",
        ge=1024,
    )
    max_field_chars: int = _setting(
        4096, "Longest field of a row.", unit="characters", why="a long safe-contact note", ge=64
    )


class RulesSettings(_Section):
    """Where the rules are."""

    path: Path | tuple[Path, ...] | None = _setting(
        None,
        "Rule folder, or several: later ones add and override. Unset: rules/ where the command runs, if it has a policy.yaml; else the package's.",
    )

    trial_days: int = _setting(
        14, "Days that a rule is in force at its status before it may act further.", unit="days", ge=0
    )
    trial_decisions: int = _setting(
        10, "Mails it fired on that reviewers must have decided about before it may be enforced.", ge=0
    )
    trial_precision: float = _setting(
        0.5, "Share of them that reviewers must have confirmed as crossings.", ge=0, le=1
    )

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders in loading order; empty: the default."""
        if self.path is None:
            return ()
        return self.path if isinstance(self.path, tuple) else (self.path,)


class InspectionSettings(_Section):
    """Reading and judging a message: limits of time, memory and size."""

    language: bool = _setting(
        True,
        "Hear language cues: sentences are parsed, the language model is asked; off: the rules' words alone.",
    )
    extract_workers: int = _setting(2, "Processes that read messages.", ge=1)
    language_workers: int = _setting(2, "Processes that judge what was read.", ge=1)
    spare_workers: int = _setting(1, "Warm processes of each kind in reserve.", ge=0)
    message_timeout_s: float = _setting(
        20.0, "Time to read and judge one message; past it: held.", unit="s", gt=0
    )
    wait_timeout_s: float = _setting(60.0, "Wait for a free worker; past it: 451.", unit="s", gt=0)
    worker_memory_bytes: int = _setting(
        1_610_612_736, "Memory of one worker; past it the message is held.", unit="octets", ge=268_435_456
    )
    worker_messages: int = _setting(2000, "Messages after which a worker is replaced.", ge=1)
    encoder_windows: int = _setting(
        2048,
        "Stretches of text whose readings a worker's encoder remembers.",
        unit="windows of 128 word pieces",
        why="templates and threads come again; some 6 KB each, kept by hash, no words",
        ge=0,
    )
    max_parts: int = _setting(1000, "MIME parts read.", ge=1)
    max_depth: int = _setting(50, "MIME nesting read.", why="Postfix mime_nesting_limit is 100", ge=1)
    max_decoded_chars: int = _setting(4_000_000, "Characters of text read.", unit="characters", ge=1000)
    max_lines: int = _setting(
        20_000,
        "Lines of what the sender wrote that are judged.",
        unit="lines",
        why="four hundred pages; a line may cost what a sentence does, and four million characters have room for two million",
        ge=100,
    )
    max_addresses: int = _setting(
        1000,
        "Addresses read of one header field; each is looked up in the registry.",
        why="a header of 1 MiB has room for 50,000",
        ge=1,
    )
    max_attachment_bytes: int = _setting(
        104_857_600,
        "Octets that the attachments of one message may have when unpacked, archives in archives included.",
        unit="octets",
        why="three times the largest mail; a zip bomb of 42 KB has petabytes",
        ge=1_048_576,
    )
    max_attachment_files: int = _setting(
        1000, "Files read inside the attachments of one message, pictures in documents included.", ge=1
    )
    max_attachment_depth: int = _setting(
        5, "Archives, documents and mails inside one another that are opened.", why="people need two", ge=1
    )
    max_attachment_steps: int = _setting(
        1_000_000,
        "Elements of markup, records and words of control read in the attachments of one message.",
        why="300,000 cells of a sheet, 3 s of processor time",
        ge=1000,
    )
    small_picture_pixels: int = _setting(
        65_536,
        "Pictures of at most so many pixels count as small: policy treats them apart.",
        unit="pixels",
        why="256 x 256, a crest or a logo in a signature",
        ge=0,
    )
    picture_models: Path | None = _setting(
        None,
        "Folder of Tesseract's models, /usr/share/tesseract-ocr/5/tessdata on Debian: words in pictures and "
        "scanned pages are read when set. Needs the extra `ocr`.",
    )


class PolicySettings(_Section):
    """How far verdicts may act. What they say is in rules/policy.yaml."""

    mode: Mode = _setting(
        Mode.HOLD, "observe, flag: deliver everything, list what would be flagged or held; hold: hold."
    )
    units: dict[str, Mode] = _setting(
        {}, "Mode of single units, by their name in staff.csv. Of all claimed senders the strictest counts."
    )
    max_excluded: int = _setting(
        20,
        "People named in one thread beyond which an alarm is raised: nobody may be left to review it.",
        why="more than that is a circular, or somebody keeping reviewers out",
        ge=1,
    )


class NoticeSettings(_Section):
    """Mail that the gateway writes itself."""

    sender: str = _setting("boundary-gateway@localhost", "From address of notices.", alias="from")
    url: str = _setting("", "Address of the console, named in notices.")
    urgent_to: tuple[str, ...] = _setting((), "Who is told of urgent holds; empty: line manager and PSD.")
    webhook: WebhookSettings = WebhookSettings()
    digest_h: float = _setting(
        4.0,
        "How often reviewers are told that holds wait for them, without any word of them; 0: never.",
        unit="hours",
        why="twice a shift; what is urgent is told at once",
        ge=0,
        le=168,
    )
    escalate_h: float = _setting(
        48.0,
        "How long a hold may wait before the digest also tells who is next: up the line, or PSD; 0: never.",
        unit="hours",
        why="a weekend, or two days of leave",
        ge=0,
    )
    return_subject: str = _setting(
        "Your message was not delivered", "Subject of the notice when a hold is returned."
    )
    return_text: str = _setting(
        "Your message of {held_at} was not delivered. Please speak to your supervisor before you write again.\n\n"
        "Reference: {id}\n",
        "Text of that notice; {id} and {held_at} are filled in.",
    )


class ConsoleTls(_Section):
    """HTTPS by the console itself; without it a reverse proxy does it."""

    cert: Path | None = _setting(None, "Certificate chain, PEM. The console speaks HTTPS when set.")
    key: Path | None = _setting(None, "Private key of the certificate, PEM.")


class OidcSettings(_Section):
    """Signing in through the force's directory, by OpenID Connect."""

    issuer: str = _setting(
        "", "Address of the provider, as its metadata names it; empty: local accounts only."
    )
    client_id: str = _setting("", "Name of this console at the provider.")
    client_secret: str = _setting("", "Its secret there.", secret=True)
    client_secret_file: Path | None = _setting(None, "File that holds the secret.")
    ca_file: Path | None = _setting(
        None, "CA certificates to trust for the provider, PEM; none: the system's."
    )
    scopes: tuple[str, ...] = _setting(("openid", "email", "profile"), "Scopes asked for.")
    email_claim: str = _setting("email", "Claim that names the person by their address on the staff list.")
    roles_claim: str = _setting(
        "", "Claim that lists roles or groups; empty: roles come from the account or the staff list."
    )
    roles: dict[str, str] = _setting(
        {},
        "What the claim may say, and the role it gives: reviewer, psd, rule-author, oversight, administrator.",
    )
    roles_last_h: float = _setting(
        1.0,
        "How long roles from the claim count; then the session ends, and signing in asks the directory again.",
        unit="hours",
        why="as long as tokens of Entra ID last: a role that is taken away there ends here within that time",
        gt=0,
    )
    timeout_s: float = _setting(10.0, "Time for one answer of the provider.", unit="s", gt=0)


class ConsoleSettings(_Section):
    """The supervisors' console."""

    listen: str = _setting("127.0.0.1:8025", "Address and port of the console.")
    url: str = _setting(
        "",
        "Address that people type, https://gateway.force.example; empty: console.listen. No other host is answered.",
    )
    tls: ConsoleTls = ConsoleTls()
    proxies: tuple[str, ...] = _setting((), "Addresses of reverse proxies whose X-Forwarded-For is believed.")
    only: bool = _setting(False, "Decisions only in the console: `gateway holds release|return` are refused.")
    local_accounts: bool = _setting(True, "Accounts with a password kept here may sign in.")
    second_factor: Literal["required", "optional"] = _setting(
        "required", "Whether a local account must have a second factor; it is set up at the first sign-in."
    )
    oidc: OidcSettings = OidcSettings()
    timezone: str = _setting("Europe/London", "IANA name of the zone in which times are shown.")
    idle_min: float = _setting(
        30.0,
        "Idle time after which a session ends.",
        unit="minutes",
        why="OWASP: 15 to 30 minutes for applications of low risk to the unattended screen",
        gt=0,
    )
    session_h: float = _setting(
        10.0, "Longest life of a session, used or not.", unit="hours", why="a shift", gt=0
    )
    sign_in_s: float = _setting(
        300.0, "Time to complete a sign-in that has begun: code, directory.", unit="s", gt=0
    )
    free_tries: int = _setting(5, "Failed sign-ins in a row that cost no waiting time.", ge=1)
    first_wait_s: float = _setting(
        30.0, "Waiting time after the next failure; doubles with each.", unit="s", gt=0
    )
    max_wait_s: float = _setting(
        900.0,
        "Longest waiting time.",
        unit="s",
        why="four tries an hour; longer would let anybody shut a reviewer out",
        gt=0,
    )
    min_password_chars: int = _setting(
        12, "Shortest password of a local account.", unit="characters", why="NCSC: three random words", ge=8
    )
    page_rows: int = _setting(50, "Items on a page of the queue.", ge=5, le=500)
    search_items: int = _setting(
        2000,
        "Items whose subjects a search reads, latest first; subjects are sealed, so no index knows them.",
        why="50 ms",
        ge=0,
    )
    live_s: float = _setting(2.0, "How often the queue looks for news for open pages.", unit="s", gt=0)
    metrics_token: str = _setting(
        "", "What Prometheus must show to read /metrics; empty: there is no such page.", secret=True
    )
    metrics_token_file: Path | None = _setting(None, "File that holds that token.")
    max_live: int = _setting(200, "Pages at once that are told of news; one more asks every minute.", ge=0)
    browser_s: float = _setting(
        30.0,
        "How long a browser may keep the console waiting: with the next piece of a request, or in taking an answer.",
        unit="s",
        why="a telephone in a tunnel; longer, and a few slow ones hold every place",
        gt=0,
    )
    max_form_bytes: int = _setting(
        1_048_576, "Largest form that is taken.", unit="octets", why="a long note, many times", ge=4096
    )
    playground_bytes: int = _setting(
        2_097_152,
        "Largest message that may be tried in the playground.",
        unit="octets",
        why="a mail with a photograph; `gateway explain` takes any",
        ge=4096,
    )
    playground_timeout_s: float = _setting(
        60.0,
        "Time for one answer of the playground; past it the process that works on it is ended.",
        unit="s",
        why="a person waits; a rule that is tried is compiled with its whole set",
        gt=0,
    )
    playground_idle_min: float = _setting(
        15.0,
        "Idle time after which that process ends; the next try starts one.",
        unit="minutes",
        why="it holds rules and language model, half a gigabyte",
        gt=0,
    )


class LogSettings(_Section):
    """The operator's log on stderr."""

    level: Literal["debug", "info", "warning", "error"] = _setting("info", "Events below it are not written.")
    format: Literal["json", "text"] = _setting("json", "json for programs, text for people.")


class Settings(_Section):
    """All sections."""

    smtp: SmtpSettings = SmtpSettings()
    next_hop: NextHopSettings = NextHopSettings()
    store: StoreSettings = StoreSettings()
    registry: RegistrySettings = RegistrySettings()
    rules: RulesSettings = RulesSettings()
    inspection: InspectionSettings = InspectionSettings()
    policy: PolicySettings = PolicySettings()
    notices: NoticeSettings = NoticeSettings()
    outbox: OutboxSettings = OutboxSettings()
    health: HealthSettings = HealthSettings()
    review: ReviewSettings = ReviewSettings()
    console: ConsoleSettings = ConsoleSettings()
    api: ApiSettings = ApiSettings()
    log: LogSettings = LogSettings()

    @property
    def limits(self) -> Limits:
        """The bounds on reading one message, from the sections they belong to."""
        return Limits(
            max_parts=self.inspection.max_parts,
            max_depth=self.inspection.max_depth,
            max_header_bytes=self.smtp.max_header_bytes,
            max_decoded_chars=self.inspection.max_decoded_chars,
            max_lines=self.inspection.max_lines,
            max_addresses=self.inspection.max_addresses,
            max_attachment_bytes=self.inspection.max_attachment_bytes,
            max_attachment_files=self.inspection.max_attachment_files,
            max_attachment_depth=self.inspection.max_attachment_depth,
            max_attachment_steps=self.inspection.max_attachment_steps,
            small_picture_pixels=self.inspection.small_picture_pixels,
            picture_models=str(self.inspection.picture_models or ""),
        )
