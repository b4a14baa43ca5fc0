"""Libraries: the only package that wires engine, models, search and ingest together.

A library remembers its model and refuses any other. Several libraries in one folder (``shelf``)
share the model. Renaming a library renames its folder; ``relocation`` then corrects the paths of
the files inside.
"""
