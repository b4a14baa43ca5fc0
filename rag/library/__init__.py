"""Libraries: the only package that wires engine, models, search and ingest together.

A library remembers its model and refuses any other.
"""
