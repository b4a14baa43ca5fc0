"""The tools of assistants, by the Model Context Protocol.

They are the library's read half, the same over stdio and HTTP. The SDK's own check of hosts and
origins is off, since :mod:`ui.security.origin` is stricter.
"""
