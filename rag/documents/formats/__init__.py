"""One module a format: from the bytes of a file to text with headings and metadata."""
