"""Shared libraries in object storage (lance) and distributed indexing (ray)."""
