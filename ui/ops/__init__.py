"""Running a server: lifecycle, logs, metrics, and errors that are safe to show.

- Importing Gradio takes seconds, so ``splash`` answers first, accepts a question, and is replaced
  by the real page.
- ``request_log`` is the outermost middleware and sees every request. Logs and metrics name the
  declared route, never the path, which may contain a name or a question.
- uvicorn raises SIGTERM again after its shutdown, which would kill the process before its library
  is closed, so ``lifecycle`` has a handler installed that absorbs it. At shutdown streams are ended
  after half a second, and requests get one.
"""
