"""Who gets in, from where, as what, how often and with how much.

One gate stands before everything (``middleware``), so no route can be forgotten::

    request → headers (origin) → proxy → host (origin) → rate_limit → origin → login
            → body_limit → the application

- Loopback alone, or ``--auth``, or ``--insecure``: otherwise the server does not start
  (``access``). A proxy in front makes loopback a network. Only an owner indexes, sends, removes,
  renames or rates, since naming a folder to index means reading any file of the server's user;
  ``--insecure`` makes everybody a reader.
- Passwords are scrypt (N = 2**14, r = 8, p = 5), two hashes at a time at most; unknown names take
  as long. After five wrong ones a client (an address, or a /64) waits 30 s, then twice as long each
  time, up to a quarter of an hour. No name is ever locked: that would lock its owner out. The file
  is read at the start, so a name that is taken out stays in until the next.
- Sessions live in memory for twelve hours; cookies are HttpOnly, SameSite=Strict, bound to the root
  path, and Secure behind HTTPS. A link from elsewhere comes without the cookie and is redirected
  once, so that the browser sends it.
- Hosts, against DNS rebinding: loopback answers its own three names; a network address answers any
  numeric address, this machine's name and ``--allow-host``. A ``Host`` or ``Origin`` that comes
  twice or malformed is refused with 400.
- ``X-Forwarded-*`` counts from the named proxy alone, its last hop only, and never reaches Gradio.
  Without ``--behind-proxy`` a request that bears it is refused. A proxy that sends none of it can't
  be told from a person at this machine.
- A client has 100 requests a second (burst 1,000) and 32 under way; the server 64, and 500 streams
  and files. More is refused at once with 429 or 503 and ``Retry-After``. ``/metrics``, ``/health``
  and ``/ready`` count apart. Bodies have 4 MiB and 30 seconds; a file 2 GiB, streamed to disk.
- No page or error shows a path of this machine; files are reached by a document's id.

Not defended against: eavesdroppers (TLS is the proxy's job), other users of this machine
without ``--auth``, anyone with access to the folder, and an owner. SECURITY.md has the tests.
"""
