"""MCP (Model Context Protocol) tools for assistants.

They expose the library's read operations, identically over stdio and HTTP. The SDK's own host and
origin checks are off, since :mod:`ui.security.origin` is stricter.
"""
