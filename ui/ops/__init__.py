"""Running a server: the splash page, logs, metrics, and errors that are safe to show.

- Importing Gradio takes seconds, so ``splash`` answers first, accepts a question, and is replaced
  by the real page.
- ``request_log`` is the outermost middleware and sees every request. Logs and metrics name the
  declared route, never the path, which may contain a name or a question.
"""
