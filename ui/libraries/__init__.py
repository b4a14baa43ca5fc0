"""Several libraries in one server: a page to choose one, and each below an address of its own.

Each is an application made by ``ui.server`` below its own ``root_path``, opened at its first
request and closed to be renamed. It knows its prefix from the request alone, and its pages link
relatively. The prefix stays percent-encoded in the scope, because Gradio makes addresses of it and
would read ``#`` and ``?`` in it.
"""
