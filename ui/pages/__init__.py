"""The pages beside the ask page, and what they are made of.

- The reading page has no script: marks, boxes and found words are drawn by the server, so its
  policy can forbid all scripts, whatever a document says. It lies in a frame beside the hits.
- Line ends are kept where they mean something, in lists, tables and programs, and not in prose that
  was broken to fit a width (``markup``).
- The reliability diagram on ``/insight`` judges each question by a curve fitted to the others.
"""
