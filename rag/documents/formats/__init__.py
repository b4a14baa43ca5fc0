"""Loaders, one module per format: from a file's bytes to text with headings and metadata."""
