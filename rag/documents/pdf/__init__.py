"""PDF: its text as a person reads it, page by page, and pages as they are printed.

Words from OCR come with their positions and become the same pieces that pdfium gives, so columns,
paragraphs and headings work on scanned pages. A sentence is found on a printed page by its letters
and digits, from the end of a line to the beginning of any other; no box is better than a wrong one.
"""
