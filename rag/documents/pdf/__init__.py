"""PDF: its text as a person reads it, page by page, and pages as they are printed."""
