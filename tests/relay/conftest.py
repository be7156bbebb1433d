"""What the relay's tests share: both event loops, certificates made here and now, and a way to the smarthost."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from smarthost import Smarthost

from gateway.relay import Relay
from gateway.settings import NextHopSettings


def pytest_asyncio_loop_factories(config, item):
    """The relay runs on uvloop where it installs, on asyncio elsewhere: both must behave alike."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def smarthost():
    """A smarthost that goes right until it is told otherwise."""
    async with Smarthost() as running:
        yield running


@pytest.fixture
async def relay_to():
    """Make relays to a smarthost, with short times where a test waits for them to pass; close them afterwards."""
    relays = []

    def make(smarthost, **settings):
        scheme = settings.pop("scheme", "smtp")
        host = settings.pop("host", "127.0.0.1")
        relay = Relay(
            NextHopSettings(url=f"{scheme}://{host}:{smarthost.port}", **settings), "gateway.example"
        )
        relays.append(relay)
        return relay

    yield make
    for relay in relays:
        await relay.close()


class Certificates:
    """A certificate authority, and server certificates by it, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        authority = self._builder(self._name, self._key).add_extension(constraints, critical=True)
        self.ca_file = folder / "ca.pem"
        certificate = authority.sign(self._key, hashes.SHA256())
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject, key):
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def server(self, *names: str) -> ssl.SSLContext:
        """Return a server context with a certificate for ``names``, host names or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = [
            x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
        ]
        certificate = (
            self._builder(subject, key)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self.folder / f"{names[0]}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A certificate authority of this test run."""
    return Certificates(tmp_path_factory.mktemp("certificates"))
