"""An OpenID provider in memory that does everything right, until a test tells it what to do wrong."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

ISSUER = "https://login.force.example/tenant"
CLIENT, SECRET = "console", "a-secret-of-its-own"


def _encoded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Provider:
    """``claims`` are added to the ID token, ``header`` to its header; ``key`` signs it."""

    def __init__(self, now):
        self.now = now
        self.keys = [RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})]
        self.key, self.header, self.claims, self.drop = self.keys[0], {"alg": "RS256", "kid": "one"}, {}, ()
        self.metadata = {}
        self.codes = {}
        self.asked = []
        self.app = Starlette(
            routes=[
                Route("/tenant/.well-known/openid-configuration", self._metadata),
                Route("/keys", self._jwks),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    @property
    def transport(self):
        return httpx2.ASGITransport(app=self.app)

    def approve(self, address, **claims):
        """Return the query with which the browser comes back, as if the person had signed in at ``address``."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code{len(self.codes)}"
        self.codes[code] = query | {"claims": claims}
        return {"code": code, "state": query["state"], "iss": ISSUER}

    async def _metadata(self, request):
        self.asked.append("metadata")
        return JSONResponse(
            {
                "issuer": ISSUER,
                "authorization_endpoint": "https://login.force.example/authorize",
                "token_endpoint": "https://login.force.example/token",
                "jwks_uri": "https://login.force.example/keys",
                "authorization_response_iss_parameter_supported": True,
            }
            | self.metadata
        )

    async def _jwks(self, request):
        self.asked.append("keys")
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def _token(self, request):
        self.asked.append("token")
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        begun = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            begun is None
            or begun["code_challenge"] != challenge.rstrip(b"=").decode()
            or form.get("redirect_uri") != begun["redirect_uri"]
            or request.headers.get("authorization") != f"Basic {basic}"
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(self.now().timestamp())
        claims = {
            "iss": ISSUER, "sub": "s-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": begun["nonce"],
            "email": "nina.shah@force.example",
        } | begun["claims"] | self.claims  # fmt: skip
        for name in self.drop:
            del claims[name]
        token = self.sign(claims)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def sign(self, claims):
        if self.header["alg"] not in {"none", "HS256"}:
            return jwt.encode(self.header, claims, self.key, algorithms=[self.header["alg"]])
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (self.header, claims))
        if self.header["alg"] == "none":
            return f"{text}."
        secret = self.keys[0].as_pem(private=False)
        return f"{text}.{_encoded(hmac.digest(secret, text.encode(), 'sha256'))}"

    def sign_with_another_key(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one"})

    def sign_with_the_public_key_as_a_secret(self):
        self.header = {"alg": "HS256", "kid": "one"}

    def rotate(self):
        self.keys = [ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})]
        self.key, self.header = self.keys[0], {"alg": "ES256", "kid": "two"}
