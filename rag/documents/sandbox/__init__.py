"""Processes of our own that parse files and draw pages, so that a hostile file costs only them."""
