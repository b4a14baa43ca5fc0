"""Access control: authentication, roles, origins, rate limits and body limits.

One stack of middleware covers every route, so none can be forgotten (``middleware``)::

    request → headers (origin) → proxy → host (origin) → rate_limit → origin → login
            → body_limit → the application

- Loopback only, or ``--auth``, or ``--insecure``: otherwise the server does not start (``access``).
  Loopback behind a proxy counts as a network. Only an owner may index, upload, remove, rename or
  rate, since naming a folder to index means reading any file of the server's user; ``--insecure``
  makes everybody a reader.
- Passwords are hashed with scrypt (N = 2**14, r = 8, p = 5), at most two at a time; unknown names
  take as long. After five wrong ones a client (an address, or a /64) waits 30 s, then twice as long
  each time, up to a quarter of an hour. Accounts are never locked: that would lock their owners
  out. The file is read at startup, so a removed account keeps its access until the next one.
- Sessions are kept in memory for twelve hours; cookies are HttpOnly, SameSite=Strict, bound to the
  root path, and Secure behind HTTPS. A link from another site arrives without the cookie and is
  redirected once, so that the browser sends it.
- Hosts, against DNS rebinding: loopback answers its own three names; a network address answers any
  numeric address, this machine's name and ``--allow-host``. A duplicate or malformed ``Host`` or
  ``Origin`` is refused with 400.
- ``X-Forwarded-*`` is trusted from the configured proxy only, its last hop only, and never reaches
  Gradio. Without ``--behind-proxy`` a request with such a header is refused. A proxy that sends
  none can't be distinguished from a local user.
- A client has 100 requests a second (burst 1,000) and 32 concurrently; the server 64, and 500
  streams and uploads. Excess is refused at once with 429 or 503 and ``Retry-After``. ``/metrics``,
  ``/health`` and ``/ready`` have their own limits. A body may take 256 KiB and 30 seconds; an
  uploaded file 2 GiB, streamed to disk.
- No page or error shows a path of this machine; files are reached by a document's id.

Not defended against: eavesdroppers (TLS is the proxy's job), other users of this machine
without ``--auth``, anyone with access to the folder, and an owner. SECURITY.md has the tests.
"""
