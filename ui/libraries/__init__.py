"""Several libraries in one server: a page that lists them, and one mounted application for each.

Each is an application made by ``ui.server`` under its own ``root_path``, opened at its first
request and closed to be renamed. It takes its prefix from the request, and its pages use relative
links. The prefix stays percent-encoded in the scope, because Gradio builds URLs from it and would
misread ``#`` and ``?``.
"""
