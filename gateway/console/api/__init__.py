"""The HTTP API for other systems, on the console's address: pushing contacts and staff, reading the states of items.

Public face: `Api`, an ASGI application for every path below ``/api/``. It shares the console's desk and nothing else of
it: no session, no cookie and no form opens it, and its tokens open no page. docs/contacts-api.md is for its callers.

    door         who calls, may they, how often; every trouble as a problem (RFC 9457)
    calls        what a call and an operation are, the body, preconditions     problems   what can be wrong
    pushes       whole sets and single entries                                 entries    JSON to entries
    states       the states of items                                           description    OpenAPI 3.1
"""

from gateway.console.api.door import Api

__all__ = ["Api"]
