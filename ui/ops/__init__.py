"""Running a server: start and end, logs, metrics, and what is said of errors.

- Importing Gradio takes seconds, so ``splash`` answers first, takes the question, and is replaced
  by the real page.
- Requests are observed from outside (``request_log``), whatever answers them. Logs and metrics name
  the route as it is declared, never the path, which may hold a name or a question.
- uvicorn raises SIGTERM again when it is done, which would kill the process before its library is
  closed, so ``lifecycle`` holds a handler that takes it then. Streams are ended after a second, and
  requests have one.
"""
