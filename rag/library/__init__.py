"""The library: the only place where engine, models, search and ingest are wired together.

It remembers its model and refuses another. Several libraries in one folder (``shelf``) share the
model; renaming one is renaming its folder, after which ``relocation`` corrects the paths of the
files in it.
"""
