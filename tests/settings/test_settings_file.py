"""The settings file: what it gives, and what is said about each mistake in it."""

from pathlib import Path

import pytest

from gateway.errors import Mistakes
from gateway.model import Mode
from gateway.settings import OriginKind, load


def written(folder: Path, text: str) -> Path:
    path = folder / "gateway.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


def complaints(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        load(path, environ or {})
    folder = f"{path.parent}/" if path else ""
    return [str(mistake).replace(folder, "") for mistake in caught.value.mistakes]


def test_contract_file_is_read(tmp_path):
    """The file of the contract gives exactly the values that it shows."""
    path = written(
        tmp_path,
        """
smtp:     {listen: "127.0.0.1:2525", allow_from: ["127.0.0.0/8", "::1/128"], max_message_bytes: 36700160}
next_hop: {url: "smtp://127.0.0.1:2600"}        # smtp:// plain, smtp+starttls://, smtps://
store:    {url: "sqlite:///var/gateway.db", key_file: "var/sealing.key"}
registry: {contacts: "contacts.csv", staff: "staff.csv", domains: ["force.example"]}
rules:    {path: "rules"}
console:  {listen: "127.0.0.1:8025"}
""",
    )
    settings = load(path, {}).settings
    assert settings.smtp.allow_from == ("127.0.0.0/8", "::1/128")
    assert settings.smtp.max_message_bytes == 36_700_160
    assert settings.store.url == f"sqlite:///{tmp_path}/var/gateway.db"
    assert settings.store.key_file == tmp_path / "var/sealing.key"
    assert settings.registry.contacts == tmp_path / "contacts.csv"
    assert settings.registry.domains == ("force.example",)
    assert settings.rules.paths == (tmp_path / "rules",)
    assert settings.policy.mode is Mode.HOLD


def test_paths_of_defaults_are_relative_to_the_file(tmp_path):
    """A path that nobody gave lies beside the file too, wherever the process runs."""
    settings = load(written(tmp_path, "log: {level: debug}"), {}).settings
    assert settings.registry.staff == tmp_path / "staff.csv"
    assert settings.store.url == f"sqlite:///{tmp_path}/var/gateway.db"
    assert settings.smtp.tls.cert is None


def test_absolute_paths_stay(tmp_path):
    """An absolute path, alone or in an SQLite URL with a query, is left as it is."""
    text = "store: {url: 'sqlite:////srv/g.db?timeout=3', key_file: /srv/key}\nrules: {path: [a, /b]}"
    settings = load(written(tmp_path, text), {}).settings
    assert settings.store.url == "sqlite:////srv/g.db?timeout=3"
    assert settings.store.key_file == Path("/srv/key")
    assert settings.rules.paths == (tmp_path / "a", Path("/b"))


def test_postgresql_url_is_left_alone(tmp_path):
    """A PostgreSQL URL is not mistaken for a path."""
    url = "postgresql+psycopg://gateway@db.force.example/gateway?passfile=/run/secrets/pgpass"
    assert load(written(tmp_path, f"store: {{url: '{url}'}}"), {}).settings.store.url == url


def test_without_a_file_the_current_folder_counts(tmp_path, monkeypatch):
    """Without --config, ./gateway.yaml is read if there is one; else defaults, relative to the current folder."""
    monkeypatch.chdir(tmp_path)
    assert load(None, {}).settings.store.key_file == tmp_path / "var/sealing.key"
    written(tmp_path, "console: {only: yes}")
    loaded = load(None, {})
    assert loaded.settings.console.only is True
    assert loaded.origins["console.only"].place == "gateway.yaml:1"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "smtp:\nstore:\n"])
def test_empty_files_and_sections_are_defaults(tmp_path, text):
    """A file or section that holds nothing yet is not a mistake."""
    assert load(written(tmp_path, text), {}).settings.smtp.max_recipients == 100


def test_yaml_does_not_guess(tmp_path):
    """What YAML would turn into false, ninety or an octal number stays the text that was written."""
    text = "smtp: {hostname: no}\nnext_hop: {user: on, password: 0123}\npolicy: {units: {1:30: flag, off: observe}}\n"
    settings = load(written(tmp_path, text), {}).settings
    assert settings.smtp.hostname == "no"
    assert (settings.next_hop.user, settings.next_hop.password) == ("on", "0123")
    assert settings.policy.units == {"1:30": Mode.FLAG, "off": Mode.OBSERVE}


@pytest.mark.parametrize(
    ("text", "value"), [("yes", True), ("on", True), ("True", True), ("no", False), ("0", False)]
)
def test_booleans_in_all_their_spellings(tmp_path, text, value):
    """The words people write for true and false are understood."""
    assert load(written(tmp_path, f"console: {{only: {text}}}"), {}).settings.console.only is value


def test_alias_from(tmp_path):
    """The sender of notices is called `from` in the file and in its variable."""
    loaded = load(written(tmp_path, "notices: {from: gateway@force.example}"), {})
    assert loaded.settings.notices.sender == "gateway@force.example"
    assert loaded.origins["notices.from"].kind is OriginKind.FILE
    assert complaints(written(tmp_path, "notices: {sender: a@b.example}"))


def test_nothing_is_lost_in_a_multi_line_text(tmp_path):
    """The notice text may have lines; it is taken as written."""
    text = "notices:\n  return_text: |\n    Your message {id}\n    of {held_at}.\n"
    assert (
        load(written(tmp_path, text), {}).settings.notices.return_text == "Your message {id}\nof {held_at}.\n"
    )


MISTAKES = [
    # what is written, what is said of it
    ("smpt: {}", "gateway.yaml:1:1: there is no setting smpt; did you mean smtp?"),
    ("smtp:\n  lsten: x", "gateway.yaml:2:3: there is no setting smtp.lsten; did you mean smtp.listen?"),
    ("smtp: {Listen: x}", "gateway.yaml:1:8: there is no setting smtp.Listen; did you mean smtp.listen?"),
    ("listen: x", "there is no setting listen; did you mean smtp.listen or health.listen or console.listen?"),
    ("smtp: {key_file: x}", "there is no setting smtp.key_file; did you mean store.key_file?"),
    ("store_url: x", "there is no setting store_url; did you mean store.url?"),
    (
        "store.url: x",
        "there is no setting store.url; write `store:` and below it `url:`, each line indented further",
    ),
    ("smtp: {zebra: x}", "there is no setting smtp.zebra; remove it; `gateway settings` lists every setting"),
    ("smtp: {<<: {}}", "there is no setting smtp.<<"),
    ("smtp: {}\nsmtp: {}", "gateway.yaml:2:1: smtp is given twice, first in line 1; keep one of them"),
    (
        "log:\n  level: info\n  level: info",
        "gateway.yaml:3:3: log.level is given twice, first in line 2; keep one of them",
    ),
    ("[1]: x", "gateway.yaml:1:1: a setting's name must be a word; write `name: value`"),
    (
        "- smtp",
        "gateway.yaml:1:1: the file does not hold settings; write `smtp:` and its settings indented below",
    ),
    (
        "smtp: 5",
        "gateway.yaml:1:7: smtp does not hold settings; write `smtp:` and its settings indented below",
    ),
    ("log: {level:}", "log.level has no value; give it one, or remove the line"),
    ("log: {level: loud}", "log.level cannot be 'loud'; write one of debug, info, warning, error"),
    ("log: {level: INFO}", "log.level cannot be 'INFO'; did you mean info?"),
    ("policy: {mode: holt}", "gateway.yaml:1:16: policy.mode cannot be 'holt'; did you mean hold?"),
    (
        "policy: {units: {CID: x, a: flag}}",
        "gateway.yaml:1:23: policy.units cannot be 'x'; write names and for each",
    ),
    (
        "policy: {units: {CID: flag, CID: hold}}",
        "gateway.yaml:1:29: policy.units names 'CID' twice; keep one of them",
    ),
    ("policy: {units: [flag]}", "policy.units is a list with something else than plain values; write names"),
    ("smtp: {max_errors: many}", "smtp.max_errors cannot be 'many'; write a whole number of at least 1"),
    ("smtp: {max_errors: 0}", "smtp.max_errors cannot be '0'; write a whole number of at least 1"),
    ("smtp: {max_errors: 1.5}", "smtp.max_errors cannot be '1.5'; write a whole number of at least 1"),
    (
        "smtp: {max_errors: [1]}",
        "smtp.max_errors is a list with something else than plain values; write a whole",
    ),
    ("smtp: {max_message_bytes: 35 MiB}", "cannot be '35 MiB'; the unit is octets: write 36700160"),
    ("smtp: {max_message_bytes: 35MB}", "cannot be '35MB'; the unit is octets: write 35000000"),
    ("smtp: {idle_timeout_s: 5m}", "smtp.idle_timeout_s cannot be '5m'; the unit is s: write 300"),
    (
        "smtp: {idle_timeout_s: .inf}",
        "smtp.idle_timeout_s cannot be '.inf'; write a number greater than 0, in s",
    ),
    (
        "smtp: {idle_timeout_s: nan}",
        "smtp.idle_timeout_s cannot be 'nan'; write a number greater than 0, in s",
    ),
    (
        "outbox: {kept_days: 1000000}",
        "write a number of at least 1 and at most 365000, in days",
    ),
    (
        "store: {history_days: 1000000}",
        "write a whole number of at least 1 and at most 365000, in days",
    ),
    ("smtp: {idle_timeout_s: -1}", "smtp.idle_timeout_s cannot be '-1'; write a number greater than 0, in s"),
    ("registry: {max_loss_percent: 101}", "write a number of at least 0 and at most 100, in %"),
    ("console: {only: perhaps}", "console.only cannot be 'perhaps'; write true or false"),
    ("smtp: {allow_from: 10.0.0.0/8}", "smtp.allow_from is a single value; write a list, each text"),
    ("smtp: {allow_from: [[a]]}", "smtp.allow_from is a list with something else than plain values"),
    ("smtp: {allow_from: []}", "nobody may relay; name the networks of the force's mail servers"),
    ("smtp: {allow_from: ['::1', nets]}", "gateway.yaml:1:28: 'nets' is not a network; write one such as"),
    (
        "smtp: {allow_from: [10.1.2.3/8]}",
        "10.1.2.3/8 is an address inside 10.0.0.0/8; write 10.0.0.0/8, or 10.1.2.3",
    ),
    ("smtp: {allow_from: ['::/0']}", "::/0 lets the whole world relay; name the force's own mail servers"),
    ("smtp: {listen: localhost}", "smtp.listen cannot be 'localhost'; write address:port"),
    ("smtp: {listen: '::1:25'}", "smtp.listen cannot be '::1:25'; write address:port"),
    ("smtp: {listen: '127.0.0.1:70000'}", "smtp.listen cannot be '127.0.0.1:70000'; write address:port"),
    ("console: {listen: ':8025'}", "console.listen cannot be ':8025'; write address:port"),
    ("smtp: {hostname: a b}", "smtp.hostname cannot be 'a b'; write a host name"),
    (
        'smtp: {hostname: "a\\r\\nRCPT"}',
        "smtp.hostname holds a control character; write it in one plain line",
    ),
    ("smtp: {max_header_bytes: 5000, max_message_bytes: 4000}", "smtp.max_header_bytes is larger than"),
    ("smtp: {max_message_bytes: 4000}", "gateway.yaml:1:27: smtp.max_header_bytes is larger than"),
    ("smtp: {tls: {required: true}}", "TLS is required, and there is no certificate to offer it with; set"),
    ("smtp: {tls: {cert: c.pem}}", "a certificate without its key; set smtp.tls.key as well"),
    ("smtp: {tls: {key: k.pem}}", "a key without its certificate; set smtp.tls.cert as well"),
    ("smtp: {tls: {key: ''}}", "smtp.tls.key is empty; write a path, or remove the line"),
    (
        "next_hop: {url: 'http://mx.force.example'}",
        "next_hop.url does not say where the smarthost is; write smtp://",
    ),
    ("next_hop: {url: 'smtp://'}", "next_hop.url does not say where the smarthost is"),
    ("next_hop: {url: 'mx.force.example:25'}", "next_hop.url does not say where the smarthost is"),
    ("next_hop: {url: 'smtp://mx:99999'}", "next_hop.url does not say where the smarthost is"),
    ("next_hop: {url: 'smtp://mx.force.example'}", "next_hop.url names no port"),
    ("next_hop: {url: 'smtp://u:p@mx:25'}", "next_hop.url holds a name or password; use next_hop.user"),
    ("next_hop: {url: 'smtp://mx:25/path'}", "next_hop.url goes on after the port"),
    ("next_hop: {ca_file: ca.pem}", "ca.pem, which is not a file; name a file that is there"),
    ("next_hop: {user: gateway}", "a name without a password; set next_hop.password_file"),
    ("next_hop: {password: hush}", "a password without a name; set next_hop.user"),
    ("store: {url: 'mysql://x'}", "store.url names no database that the gateway knows; write sqlite:///"),
    ("store: {url: 'sqlite://'}", "store.url names no database that the gateway knows"),
    ("store: {url: 'sqlite:///:memory:'}", "the store would be forgotten when the process ends"),
    ("registry: {domains: ['@force.example']}", "'@force.example' in registry.domains is not a domain"),
    ("registry: {domains: ['*']}", "'*' in registry.domains is not a domain"),
    ("notices: {from: a b@force.example}", "'a b@force.example' is not an address"),
    ("notices: {urgent_to: [duty@force.example, duty]}", "gateway.yaml:1:43: 'duty' is not an address"),
    ("notices: {url: gateway.force.example}", "notices.url is not the address of a page"),
    ("notices: {url: 'ftp://x'}", "notices.url is not the address of a page"),
    ("notices: {return_text: '{sender}'}", "notices.return_text has {sender}, which nothing fills in"),
    ("notices: {return_text: '{'}", "notices.return_text has {a brace without its partner}"),
    ("health: {listen: '9108'}", "health.listen cannot be '9108'"),
    ("health: {listen: '0.0.0.0:9108'}", "health.listen can be reached from other hosts"),
    ("outbox: {lease_s: 600}", "outbox.lease_s is not longer than next_hop.data_timeout_s (600); write more"),
    ("next_hop: {data_timeout_s: 900}", "gateway.yaml:1:28: outbox.lease_s is not longer than"),
    ("outbox: {first_retry_s: 4000}", "gateway.yaml:1:25: outbox.max_retry_s is shorter than"),
    (
        "smtp:\n\tlisten: x",
        "gateway.yaml:2:1: a tab stands where YAML allows only spaces; indent with spaces",
    ),
    ("a: 1\n---\nb: 2", "gateway.yaml:2:1: a second YAML document begins; keep one document"),
    ("smtp: listen: x", "gateway.yaml:1:13: a second colon, or indentation that does not fit the line above"),
    ("smtp: {listen: x", "gateway.yaml:1:17: is not YAML: expected ',' or '}'"),
    ("smtp: *other", "gateway.yaml:1:7: is not YAML: found undefined alias"),
    ("smtp: {listen: !!python/name:os.system x}", "smtp.listen cannot be 'x'"),
    ("log:\n  level: \x07info", "gateway.yaml:2:10: holds the control character"),
    ("[" * 3000, "gateway.yaml: is nested too deeply"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=[text[:40] for text, _ in MISTAKES])
def test_each_mistake_has_place_and_remedy(tmp_path, text, said):
    """Every mistake is named with its place and with what to write instead."""
    found = complaints(written(tmp_path, text))
    assert any(said in complaint for complaint in found), found
    assert all("; " in complaint for complaint in found)


def test_all_mistakes_in_one_run_in_the_order_of_the_file(tmp_path):
    """One wrong value does not hide another, in the same section or in another, nor in the environment."""
    text = (
        "smtp:\n  max_errors: x\n  max_commands: y\n  listn: z\n  allow_from: [q]\nlog: {level: l}\n"
        "outbox: {lease_s: 1, poll_s: p}\n"
    )
    found = complaints(
        written(tmp_path, text), {"GATEWAY_SMTP__MAX_RECIPIENTS": "r", "GATEWAY_LOG__LEVL": "s"}
    )
    assert [complaint.split(":")[1] for complaint in found[:-2]] == ["2", "3", "4", "5", "6", "7", "7"]
    assert [complaint.split(":")[0] for complaint in found[-2:]] == [
        "GATEWAY_LOG__LEVL",
        "GATEWAY_SMTP__MAX_RECIPIENTS",
    ]


def test_not_utf8(tmp_path):
    """A file in another encoding is refused with the place of the first octet that is not UTF-8."""
    path = tmp_path / "gateway.yaml"
    path.write_bytes(b"log:\n  # caf\xe9\n  level: info\n")
    assert complaints(path) == ["gateway.yaml:2:8: is not UTF-8; save the file as UTF-8"]


def test_byte_order_mark_is_no_mistake(tmp_path):
    """A file saved by a Windows editor is read."""
    path = tmp_path / "gateway.yaml"
    path.write_bytes(b"\xef\xbb\xbflog: {level: debug}\r\n")
    assert load(path, {}).settings.log.level == "debug"


def test_files_that_cannot_be_settings(tmp_path):
    """A file that is missing, a folder or huge is one clear sentence."""
    assert complaints(tmp_path / "none.yaml") == [
        "none.yaml: cannot be read: No such file or directory; name a settings file that can be"
    ]
    assert "Is a directory" in complaints(tmp_path)[0]
    huge = written(tmp_path, "#" * 1_048_577)
    assert complaints(huge) == ["gateway.yaml: is larger than 1 MiB; name a settings file"]


def test_aliases_cannot_blow_up(tmp_path):
    """A file that refers to itself is answered like any other wrong file."""
    assert complaints(written(tmp_path, "smtp: &a {tls: *a}"))
    assert load(written(tmp_path, "smtp: &a {max_errors: 5}\nlog: {}\nconsole: {only: &b true}"), {})


def test_secret_in_a_file_that_everybody_may_read(tmp_path):
    """A password may stand in the settings file only while others cannot read that file; it is never repeated."""
    path = written(tmp_path, "next_hop: {user: gateway, password: hush}")
    assert load(path, {}).settings.next_hop.password == "hush"
    path.chmod(0o644)
    found = complaints(path)
    assert found == [
        (
            "gateway.yaml:1:37: next_hop.password holds a password, and everybody may read this file; "
            "run chmod o-rwx on it, or set GATEWAY_NEXT_HOP__PASSWORD instead"
        )
    ]
    path = written(tmp_path, "store: {url: 'postgresql+psycopg://gateway:hush@db/gateway'}")
    path.chmod(0o644)
    assert "store.url holds a password" in complaints(path)[0]
    assert "hush" not in complaints(path)[0]


def test_password_file(tmp_path):
    """The password file's one line becomes the password; its origin is that file."""
    secret = tmp_path / "smarthost.password"
    secret.write_text("hush hush\n")
    secret.chmod(0o640)
    loaded = load(written(tmp_path, f"next_hop: {{user: g, password_file: {secret.name}}}"), {})
    assert loaded.settings.next_hop.password == "hush hush"
    assert loaded.origins["next_hop.password"].place == str(secret)


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("hush", 0o644, "which everybody may read; run chmod o-rwx"),
        ("", 0o600, "does not hold one line"),
        ("a\nb\n", 0o600, "does not hold one line"),
        ("x" * 5000, 0o600, "does not hold one line"),
    ],
)
def test_password_files_that_will_not_do(tmp_path, content, mode, said):
    """An exposed, empty or long password file is refused, and what it holds is not printed."""
    secret = tmp_path / "p"
    secret.write_text(content)
    secret.chmod(mode)
    found = complaints(written(tmp_path, "next_hop: {user: g, password_file: p}"))
    assert len(found) == 1
    assert said in found[0]
    assert "hush" not in found[0]


def test_password_given_twice(tmp_path):
    """A password in two places is a mistake: nobody could tell which one holds."""
    secret = tmp_path / "p"
    secret.write_text("hush")
    secret.chmod(0o600)
    path = written(tmp_path, "next_hop: {user: g, password_file: p}")
    found = complaints(path, {"GATEWAY_NEXT_HOP__PASSWORD": "other"})
    assert "both next_hop.password and next_hop.password_file are set" in found[0]


def test_sealing_key_that_everybody_may_read(tmp_path):
    """The sealing key need not be there yet, but must not lie open."""
    path = written(tmp_path, "store: {key_file: key}")
    assert load(path, {})
    (tmp_path / "key").write_text("{}")
    (tmp_path / "key").chmod(0o604)
    assert "which everybody may read; run chmod o-rwx" in complaints(path)[0]
    (tmp_path / "key").chmod(0o600)
    assert load(path, {})


def test_tls_pair(tmp_path):
    """A certificate and a key that only we may read are taken; a missing or exposed one is named."""
    text = "smtp: {tls: {cert: c.pem, key: k.pem, required: true}}"
    assert len(complaints(written(tmp_path, text))) == 2
    (tmp_path / "c.pem").write_text("certificate")
    (tmp_path / "k.pem").write_text("key")
    (tmp_path / "k.pem").chmod(0o644)
    assert "k.pem, which everybody may read" in complaints(written(tmp_path, text))[0]
    (tmp_path / "k.pem").chmod(0o600)
    assert load(written(tmp_path, text), {}).settings.smtp.tls.required


def test_words_in_pictures_need_a_model(tmp_path):
    """Asking for words in pictures without Tesseract's model is a mistake at the start, not a silence later."""
    path = written(tmp_path, "inspection: {picture_models: nowhere}")
    (complaint,) = complaints(path)
    assert "inspection.picture_models is nowhere, which has no English model" in complaint
    assert "tesseract-ocr-eng" in complaint
