"""Access control: authentication, roles, origins, rate limits and body limits.

One function checks every request, so no route can be forgotten (``middleware``). In its order:

1. ``headers``: security headers on every response, and policies for the pages.
2. ``origin.before_proxy``: the client, host and scheme that the configured proxy names; other
   clients' forwarding headers never count. A proxy that sends none can't be distinguished from a
   local user.
3. ``origin.require_host``: one well-formed Host that is ours (DNS rebinding), at most one Origin.
4. ``rate_limit``: 100 requests a second for a client (an address, or a /64), and a bounded number
   at the same time; excess gets 429 or 503 with ``Retry-After`` at once.
5. ``origin.require_same_origin``: no requests from other sites' pages.
6. ``login``: a session cookie or a token gives a principal; others get the login page.
7. ``body_limit``: the body is received whole, within 256 KiB and 30 seconds; uploads pass.
8. The application; before Gradio, ``gradio_routes``.

``policy`` decides who gets in, and has all numbers; ``accounts`` is the access file. Only an owner
may index, upload, remove or rate, since naming a folder to index means reading any file of the
server's user. The access file is read at startup, so a removed account keeps its access until the
next one; accounts are never locked, since that would lock their owners out.

What libraries do: passwords are argon2-cffi's, validation of bodies and of the access file is
pydantic's. What is ours, because a library was weaker or needed as much code around it:

- Rates: ``limits`` measures by the clock that can be set, remembers any number of clients and knows
  no growing waits.
- Hosts: Starlette's ``TrustedHostMiddleware`` knows no numeric addresses and accepts two Hosts.
- Proxies: uvicorn knows no ``X-Forwarded-Host`` and no path, and leaves the headers for Gradio.
- Sessions: Starlette's live in the cookie, so logging out doesn't end one that was copied.
- Bodies: Starlette's limit has no time limit.

Not defended against: eavesdroppers (TLS is the proxy's job), other users of this machine
without ``--auth``, anyone with access to the folder, and an owner. SECURITY.md has the tests.
"""
