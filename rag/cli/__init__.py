"""The command ``rag``.

- Commands are imported by name (``main``), so that none waits for the imports of another.
- The library reports progress to a callback, not a logger: the command decides how to show it.
- A file name may contain terminal control sequences; ``output`` escapes them.
- Two seconds after Ctrl-C or SIGTERM the process is killed (``signals``).
"""
