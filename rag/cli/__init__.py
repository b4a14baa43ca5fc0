"""The command ``rag``, a module for each command that is more than a few lines.

- Commands are imported by name (``main``), so that none waits for the packages of another.
- The library reports progress to a function, not a logger: the command decides how to show it.
- A file's name may hold what a terminal takes for commands; ``output`` spells it out.
- What still runs two seconds after Ctrl-C or SIGTERM is ended (``signals``).
"""
