"""Several libraries in one server: a page to choose one, and each below an address of its own."""
