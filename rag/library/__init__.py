"""The library: the only place where engine, models, search and ingest are wired together."""
