"""The force's directory: signing in by OpenID Connect, code flow with PKCE, state and nonce.

Owns what is asked of the provider and what its answer must prove before anybody is believed (OpenID Connect Core 1.0,
sections 3.1.2 and 3.1.3.7; RFC 7636; RFC 9207; RFC 9700). Nothing of a sign-in that has begun is kept here: state, nonce and
verifier lie in a cookie of the browser that began it. Knows no sessions and no pages.
"""

import hmac
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from gateway.errors import GatewayError
from gateway.model import Role
from gateway.settings import OidcSettings

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures with a public key alone: neither ``none`` nor one made with a secret that clients share."""
_LEEWAY_S = 60
_METADATA_LASTS = timedelta(hours=1)
_KEPT = re.compile(r"([\w-]{43})\.([\w-]{43})\.([\w-]{64})")


class DirectoryTrouble(GatewayError):
    """The directory does not answer, or answers what no provider would."""

    hint = "Check console.oidc, and whether this host reaches the provider and trusts its certificate."


class NotBelieved(Exception):
    """What came back does not prove who somebody is, or they may not use the console. Its text is for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that has begun: where the browser goes, and what it must bring back in a cookie."""

    address: str
    kept: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Who the directory says somebody is. ``roles`` None: it says nothing about roles here."""

    email: str
    roles: frozenset[Role] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    """What the provider says of itself."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    auth_method: str
    names_itself: bool
    read_at: datetime


class Directory:
    """One provider. Safe to use for many sign-ins at once."""

    def __init__(
        self,
        settings: OidcSettings,
        redirect_uri: str,
        now: Callable[[], datetime],
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """``redirect_uri`` is where the provider sends browsers back to; ``transport`` None: the network."""
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._now = now
        self._transport = transport
        self._provider: _Provider | None = None
        self._keys: KeySet | None = None

    async def begin(self) -> Begun:
        """Return where to send a browser, and what it keeps meanwhile. Raises `DirectoryTrouble`."""
        provider = await self._metadata()
        state, nonce, verifier = (secrets.token_urlsafe(octets) for octets in (32, 32, 48))
        async with self._client(provider) as client:
            address, _ = client.create_authorization_url(
                provider.authorization, state=state, nonce=nonce, code_verifier=verifier, response_type="code"
            )
        return Begun(address=str(address), kept=f"{state}.{nonce}.{verifier}")

    async def finish(self, answer: Mapping[str, str], kept: str) -> Vouched:
        """Return who somebody is, from the query they came back with and the cookie they kept.

        Raises `NotBelieved` when anything does not fit, `DirectoryTrouble` when the provider does not answer.
        """
        parts = _KEPT.fullmatch(kept)
        if parts is None:
            raise NotBelieved("the browser did not begin this sign-in, or too long ago")
        state, nonce, verifier = parts.groups()
        if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
            raise NotBelieved("state does not fit")
        if answer.get("error"):
            raise NotBelieved(f"the provider refused: {answer['error'][:64]!r}")
        provider = await self._metadata()
        said = answer.get("iss")
        if (said is not None and said != provider.issuer) or (said is None and provider.names_itself):
            raise NotBelieved("the answer is another provider's")
        if not answer.get("code"):
            raise NotBelieved("the answer has no code")
        token = await self._token(provider, answer["code"], verifier)
        claims = await self._claims(provider, token, nonce)
        return Vouched(email=self._email(claims), roles=self._roles(claims))

    # --- what is asked ------------------------------------------------------------------------------------------

    def _client(self, provider: _Provider) -> Any:
        settings = self._settings
        return AsyncOAuth2Client(
            client_id=settings.client_id,
            client_secret=settings.client_secret or None,
            token_endpoint_auth_method=provider.auth_method if settings.client_secret else "none",
            scope=" ".join(settings.scopes),
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            **self._network(),
        )

    def _network(self) -> dict[str, Any]:
        """Return how the provider is reached."""
        if self._transport is not None:
            return {"transport": self._transport, "timeout": self._settings.timeout_s}
        trusted = ssl.create_default_context(cafile=self._settings.ca_file)
        return {"verify": trusted, "timeout": self._settings.timeout_s, "follow_redirects": False}

    async def _get(self, address: str) -> Mapping[str, Any]:
        try:
            async with httpx2.AsyncClient(**self._network()) as client:
                answer = await client.get(address)
                answer.raise_for_status()
                content = answer.json()
        except (httpx2.HTTPError, ValueError) as problem:
            raise DirectoryTrouble(f"{address} does not answer: {type(problem).__name__}") from problem
        if not isinstance(content, dict):
            raise DirectoryTrouble(f"{address} answers no object")
        return content

    async def _metadata(self) -> _Provider:
        now = self._now()
        if self._provider is None or now - self._provider.read_at > _METADATA_LASTS:
            address = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            self._provider = _provider_of(await self._get(address), self._settings.issuer, now)
        return self._provider

    async def _token(self, provider: _Provider, code: str, verifier: str) -> str:
        """Return the ID token that the provider gives for ``code``."""
        try:
            async with self._client(provider) as client:
                token = await client.fetch_token(
                    provider.token, grant_type="authorization_code", code=code, code_verifier=verifier
                )
        except OAuthError as refused:
            raise NotBelieved(f"the provider gave no token: {str(refused.error)[:64]!r}") from refused
        except (httpx2.HTTPError, ValueError) as problem:
            raise DirectoryTrouble(
                f"the token endpoint does not answer: {type(problem).__name__}"
            ) from problem
        found = token.get("id_token") if isinstance(token, dict) else None
        if not isinstance(found, str):
            raise NotBelieved("there is no ID token")
        return found

    # --- what it must prove -------------------------------------------------------------------------------------

    async def _claims(self, provider: _Provider, token: str, nonce: str) -> Mapping[str, Any]:
        """Return the claims of an ID token that is signed by the provider, for us, now, and for this very sign-in."""
        try:
            found = await self._verified(provider, token)
            JWTClaimsRegistry(
                now=int(self._now().timestamp()),
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": provider.issuer},
                sub={"essential": True},
                aud={"essential": True, "value": self._settings.client_id},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(found)
        except (JoseError, ValueError) as wrong:
            raise NotBelieved(f"the ID token does not hold: {type(wrong).__name__}") from wrong
        audience = found["aud"]
        party = found.get("azp")
        if (isinstance(audience, list) and len(audience) > 1 and party is None) or (
            party is not None and party != self._settings.client_id
        ):
            raise NotBelieved("the ID token was made for another party")
        return found

    async def _verified(self, provider: _Provider, token: str) -> dict[str, Any]:
        """Return the content of a token whose signature holds; keys that are not known are fetched once more."""
        if self._keys is not None:
            try:
                return jwt.decode(token, self._keys, algorithms=list(_ALGORITHMS)).claims
            except (JoseError, ValueError):
                self._keys = None
        content = await self._get(provider.jwks)
        try:
            self._keys = KeySet.import_key_set({"keys": list(content.get("keys", []))})
        except (JoseError, ValueError, TypeError, KeyError) as problem:
            raise DirectoryTrouble(f"{provider.jwks} holds no keys") from problem
        return jwt.decode(token, self._keys, algorithms=list(_ALGORITHMS)).claims

    def _email(self, claims: Mapping[str, Any]) -> str:
        name = self._settings.email_claim
        found = claims.get(name)
        if not isinstance(found, str) or "@" not in found or len(found) > 320 or not found.isprintable():
            raise NotBelieved(f"the claim {name} names no address")
        if name == "email" and claims.get("email_verified") is False:
            raise NotBelieved("the provider has not verified the address")
        return found.strip().lower()

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[Role] | None:
        if not self._settings.roles_claim:
            return None
        said = claims.get(self._settings.roles_claim, ())
        named = (said,) if isinstance(said, str) else said if isinstance(said, list) else ()
        return frozenset(
            Role(self._settings.roles[one])
            for one in named
            if isinstance(one, str) and one in self._settings.roles
        )


def _provider_of(said: Mapping[str, Any], issuer: str, at: datetime) -> _Provider:
    """Return the provider's metadata. Raises `DirectoryTrouble` when they are not those of ``issuer``, or not whole."""
    if said.get("issuer") != issuer:
        raise DirectoryTrouble(
            "the provider names another issuer than console.oidc.issuer; write it exactly so"
        )
    endpoints = [said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    whole = [one for one in endpoints if isinstance(one, str)]
    if len(whole) < len(endpoints):
        raise DirectoryTrouble("the provider's metadata name no authorization, token or key endpoint")
    if issuer.startswith("https:") and not all(one.startswith("https:") for one in whole):
        raise DirectoryTrouble("the provider's metadata name an endpoint without HTTPS")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    basic = not isinstance(methods, list) or "client_secret_basic" in methods
    authorization, token, jwks = whole
    return _Provider(
        issuer=issuer,
        authorization=authorization,
        token=token,
        jwks=jwks,
        auth_method="client_secret_basic" if basic else "client_secret_post",
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        read_at=at,
    )
