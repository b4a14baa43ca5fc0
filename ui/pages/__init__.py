"""What the pages show, and their routes; their HTML is in :mod:`ui.templates`.

- The reading page has no script: highlights, boxes and matches are rendered by the server, so its
  policy can forbid all scripts, whatever a document contains. It is shown in a frame beside the
  hits.
- Line breaks are preserved in lists, tables and code, and not in prose that was hard-wrapped
  (``highlights``).
- The reliability diagram on ``/insight`` is cross-validated: each question is judged by a curve
  fitted to the others.
"""
