"""The console's settings: what keeps it from being reached safely is said before it starts."""

import pytest

from gateway.errors import Mistakes
from gateway.settings import OriginKind, load

PUBLIC = "url: 'https://gateway.force.example'"
OIDC = "issuer: 'https://login.force.example/t', client_id: console"


def loaded(folder, text):
    path = folder / "gateway.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return load(path, {})


def complaints(folder, text):
    with pytest.raises(Mistakes) as caught:
        loaded(folder, text)
    return " ".join(str(mistake) for mistake in caught.value.mistakes)


@pytest.mark.parametrize(
    ("console", "said"),
    [
        ("listen: '0.0.0.0:8025'", "can be reached from other hosts, and nothing says that they use HTTPS"),
        ("listen: 'gateway.force.example:8025'", "can be reached from other hosts"),
        ("listen: '8025'", "console.listen cannot be '8025'"),
        ("url: 'http://gateway.force.example'", "console.url is without HTTPS"),
        ("url: 'gateway.force.example'", "console.url is not the address of a site"),
        ("url: 'https://gateway.force.example/console'", "without a path"),
        ("url: 'https://u:p@gateway.force.example'", "console.url is not the address of a site"),
        ("tls: {cert: c.pem}", "a certificate without its key; set console.tls.key"),
        ("tls: {key: k.pem}", "a key without its certificate; set console.tls.cert"),
        ("proxies: ['10.1.2.300']", "'10.1.2.300' is not an address"),
        ("timezone: Europe/Nowhere", "'Europe/Nowhere' is not a time zone"),
        ("max_wait_s: 5", "console.max_wait_s is shorter than console.first_wait_s (30)"),
        ("local_accounts: false", "nobody can sign in"),
        ("second_factor: maybe", "console.second_factor"),
        ("oidc: {issuer: 'http://login.force.example', client_id: c}", "is not an address with HTTPS"),
        ("oidc: {issuer: 'https://login.force.example'}", "a directory without a client"),
        (f"oidc: {{{OIDC}, roles_claim: groups}}", "nothing it may say gives a role"),
        (f"oidc: {{{OIDC}, roles_claim: groups, roles: {{g: boss}}}}", "'boss' is not a role; write one of"),
        (f"oidc: {{{OIDC}, scopes: [email]}}", "without the scope openid"),
        (f"oidc: {{{OIDC}, client_secret: a, client_secret_file: b}}", "both console.oidc.client_secret and"),
        (f"oidc: {{{OIDC}, client_secret_file: nowhere}}", "which is not a file"),
        ("metrics_token: guessable", "console.metrics_token has fewer than 24 characters"),
        (f"metrics_token: {'x' * 24}, metrics_token_file: b", "both console.metrics_token and"),
        ("metrics_token_file: nowhere", "which is not a file"),
    ],
)
def test_what_will_not_do(tmp_path, console, said):
    """Each mistake is told with its remedy."""
    assert said in complaints(tmp_path, f"console: {{{console}}}")


@pytest.mark.parametrize(
    "console",
    [
        "listen: '127.0.0.1:8025'",
        "listen: '[::1]:0'",
        "listen: 'localhost:8025'",
        f"listen: '0.0.0.0:8025', {PUBLIC}",
        "url: 'http://127.0.0.1:8025'",
        "url: 'https://gateway.force.example:8443/'",
        "proxies: ['10.1.2.3', 'fd00::/8']",
        f"local_accounts: false, oidc: {{{OIDC}}}",
        "oidc: {issuer: 'http://127.0.0.1:9400', client_id: c}",
    ],
)
def test_what_will_do(tmp_path, console):
    """On loopback without HTTPS, elsewhere with it."""
    assert loaded(tmp_path, f"console: {{{console}}}").settings.console


def test_the_client_s_secret_from_a_file(tmp_path):
    """It stands in the settings as if it had been written there, and is said to come from the file."""
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    secret.chmod(0o600)
    given = loaded(tmp_path, f"console: {{oidc: {{{OIDC}, client_secret_file: secret}}}}")
    assert given.settings.console.oidc.client_secret == "hush"
    origin = given.origins["console.oidc.client_secret"]
    assert (origin.kind, origin.place) == (OriginKind.FILE, str(secret))
    secret.write_text("two\nlines\n")
    said = complaints(tmp_path, f"console: {{oidc: {{{OIDC}, client_secret_file: secret}}}}")
    assert "write the secret in its only line" in said
