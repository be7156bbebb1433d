"""Settings from the environment, and where each value is said to come from."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Mistakes
from gateway.model import Mode
from gateway.settings import OriginKind, declared_settings, is_host, listen_address, load, written
from gateway.settings.listing import Shape


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def complaint(environ: dict[str, str]) -> str:
    with pytest.raises(Mistakes) as caught:
        load(None, environ)
    assert len(caught.value.mistakes) == 1, caught.value
    return str(caught.value)


def test_environment_wins_over_the_file(tmp_path):
    """A variable wins over the file, and the origin of each value says so."""
    (tmp_path / "gateway.yaml").write_text("smtp:\n  max_errors: 7\n  max_recipients: 9\n")
    loaded = load(None, {"GATEWAY_SMTP__MAX_ERRORS": "5"})
    assert (loaded.settings.smtp.max_errors, loaded.settings.smtp.max_recipients) == (5, 9)
    assert (loaded.origins["smtp.max_errors"].kind, loaded.origins["smtp.max_errors"].place) == (
        OriginKind.ENVIRONMENT,
        "GATEWAY_SMTP__MAX_ERRORS",
    )
    assert loaded.origins["smtp.max_recipients"].place == "gateway.yaml:3"
    assert loaded.origins["smtp.listen"].kind is OriginKind.DEFAULT


def test_every_setting_has_a_variable_that_is_understood():
    """Writing each default into its variable gives the defaults again: no setting is out of reach."""
    for setting in declared_settings():
        if setting.default is None or not written(setting.default).strip('"'):
            continue
        text = setting.default if isinstance(setting.default, str) else written(setting.default)
        if setting.shape is Shape.TABLE:
            text = json.dumps(setting.default)
        loaded = load(None, {setting.variable: str(text)})
        assert loaded.origins[setting.name].kind is OriginKind.ENVIRONMENT, setting.name
        assert loaded.settings == load(None, {}).settings, setting.name


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10.0.0.0/8", ("10.0.0.0/8",)),
        ("10.0.0.0/8, ::1/128 ,", ("10.0.0.0/8", "::1/128")),
        ('["10.0.0.0/8", "::1/128"]', ("10.0.0.0/8", "::1/128")),
    ],
)
def test_lists(text, value):
    """A list is separated by commas, or JSON."""
    assert load(None, {"GATEWAY_SMTP__ALLOW_FROM": text}).settings.smtp.allow_from == value


def test_tables():
    """A table is JSON; names may hold spaces."""
    text = '{"Major Crime": "flag", "CID": "observe"}'
    units = load(None, {"GATEWAY_POLICY__UNITS": text}).settings.policy.units
    assert units == {"Major Crime": Mode.FLAG, "CID": Mode.OBSERVE}


def test_nested_and_empty(tmp_path):
    """A nested setting has both underscores at each step; empty text unsets a path."""
    (tmp_path / "gateway.yaml").write_text("smtp: {tls: {cert: nowhere.pem}}")
    assert load(None, {"GATEWAY_SMTP__TLS__CERT": ""}).settings.smtp.tls.cert is None
    assert (
        load(None, {"GATEWAY_NEXT_HOP__USER": "", "GATEWAY_SMTP__TLS__CERT": ""}).settings.next_hop.user == ""
    )


def test_relative_paths_are_relative_to_the_file(tmp_path):
    """A relative path from the environment counts from the folder of the file, as all others do."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "g.yaml").write_text("")
    loaded = load(folder / "g.yaml", {"GATEWAY_REGISTRY__STAFF": "s.csv"})
    assert loaded.settings.registry.staff == folder / "s.csv"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        (
            {"GATEWAY_SMTP__LISTN": "x"},
            "GATEWAY_SMTP__LISTN: names no setting; did you mean GATEWAY_SMTP__LISTEN?",
        ),
        ({"GATEWAY_ZOO__KEEPER": "x"}, "names no setting; unset it; `gateway settings` lists every variable"),
        ({"GATEWAY_SMTP_LISTEN": "x"}, "is not a setting's variable; did you mean GATEWAY_SMTP__LISTEN?"),
        ({"gateway_smtp__listen": "x"}, "is not a setting's variable; did you mean GATEWAY_SMTP__LISTEN?"),
        ({"GATEWAY_SMTP__TLS_CERT": "x"}, "did you mean GATEWAY_SMTP__TLS__CERT?"),
        (
            {"GATEWAY_SMTP__MAX_ERRORS": "few"},
            "GATEWAY_SMTP__MAX_ERRORS: smtp.max_errors cannot be 'few'; write a whole",
        ),
        (
            {"GATEWAY_SMTP__MAX_ERRORS": ""},
            "smtp.max_errors cannot be ''; write a whole number of at least 1",
        ),
        ({"GATEWAY_SMTP__ALLOW_FROM": "[1"}, 'is not JSON of the right form; write ["one", "two"]'),
        ({"GATEWAY_SMTP__ALLOW_FROM": ""}, "nobody may relay"),
        ({"GATEWAY_POLICY__UNITS": "CID=flag"}, 'is not JSON of the right form; write {"name": "value"}'),
        ({"GATEWAY_POLICY__UNITS": '{"CID": {}}'}, "is not JSON of the right form"),
        ({"GATEWAY_POLICY__UNITS": '{"CID": "flog"}'}, "policy.units cannot be 'flog'; did you mean flag?"),
        ({"GATEWAY_STORE__KEY_FILE": ""}, "store.key_file is empty; write a path, or remove the line"),
        ({"GATEWAY_LOG__LEVEL": "in\x00fo"}, "log.level holds a control character"),
        ({"GATEWAY_NEXT_HOP__PASSWORD": "hush"}, "a password without a name; set next_hop.user"),
    ],
)
def test_mistakes_name_the_variable(environ, said):
    """A wrong variable is named, with what to do."""
    text = complaint(environ)
    assert text.startswith(next(iter(environ)))
    assert said in text


def test_somebody_elses_variables_are_left_alone():
    """What a container platform sets for a service called gateway is not ours and no mistake."""
    theirs = {
        "GATEWAY_SERVICE_HOST": "10.0.0.1",
        "GATEWAY_PORT_25_TCP": "tcp://10.0.0.1:25",
        "GATEWAY_NO_SKIPS": "1",
    }
    assert load(None, theirs).settings == load(None, {}).settings


@given(
    st.dictionaries(
        st.sampled_from([one.variable for one in declared_settings()]), st.text(max_size=30), max_size=4
    )
)
def test_no_text_in_the_environment_breaks_the_loader(environ):
    """Whatever stands in our variables, the answer is settings or mistakes with a remedy."""
    try:
        answer = load(None, environ)
    except Mistakes as mistakes:
        answer = mistakes
    if isinstance(answer, Mistakes):
        assert answer.mistakes
        assert all(mistake.remedy for mistake in answer.mistakes)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:2525", ("127.0.0.1", 2525)),
        ("[::1]:25", ("::1", 25)),
        ("relay.force.example:0", ("relay.force.example", 0)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_listen_address(text, address):
    """An address and port in their usual spellings."""
    assert listen_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "25",
        ":25",
        "h",
        "h:",
        "h:x",
        "h:65536",
        "h:-1",
        "::1:25",
        "[h]:25",
        "[::1]",
        "a b:25",
        "256.1.1.1:25",
    ],
)
def test_no_listen_address(text):
    """What is not an address and a port is refused."""
    with pytest.raises(ValueError, match=r"."):
        listen_address(text)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("mx.force.example", True),
        ("heddlu-gogledd-cymru.example", True),
        ("bücher.example", True),
        ("10.1.2.3", True),
        ("::1", True),
        ("", False),
        ("-a.example", False),
        ("a..b", False),
        ("a_b!", False),
        ("1.2.3", False),
        ("x" * 64 + ".example", False),
    ],
)
def test_host(text, fits):
    """A host is an IP address or a name by the rules of RFC 1123."""
    assert is_host(text) is fits
