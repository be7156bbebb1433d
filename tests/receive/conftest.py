"""What the tests of SMTP in share: both event loops, a conductor to talk to, and ways to talk."""

import asyncio
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from front import House, Talk

from gateway.receive import serve
from gateway.settings import SmtpSettings


def pytest_asyncio_loop_factories(config, item):
    """The front runs on uvloop where it installs, on asyncio elsewhere: both must behave alike."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def house():
    """A conductor that says yes to everything until it is told otherwise, and writes down what it is asked."""
    return House()


@pytest.fixture
async def start(house):
    """Start servers in front of ``house`` with settings of the test's choice; close them afterwards."""
    servers = []

    async def begin(**settings):
        tls = settings.pop("tls", {})
        server = await serve(
            house,
            SmtpSettings(**{"listen": "127.0.0.1:0", "hostname": "gateway.example", "tls": tls, **settings}),
        )
        servers.append(server)
        return server

    yield begin
    house.let_go()
    for server in servers:
        await server.close(5.0)


@pytest.fixture
async def connect(start):
    """Open connections to a server, started with the settings given the first time; end them afterwards."""
    talks = []
    server = None

    async def open_connection(**settings):
        nonlocal server
        if server is None:
            server = await start(**settings)
        talk = await Talk.open(server.port)
        talk.server = server
        talks.append(talk)
        return talk

    yield open_connection
    for talk in talks:
        await talk.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Files of a certificate for 127.0.0.1 and of its key, thrown away after the tests."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "gateway.example")


@pytest.fixture(scope="session")
def other_certificate(tmp_path_factory):
    """A second pair, for renewal and for mixing up."""
    return make_certificate(tmp_path_factory.mktemp("tls2"), "renewed.example")


def make_certificate(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
    )
    (folder / "locked.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, private, serialization.BestAvailableEncryption(b"secret")
        )
    )
    return folder
