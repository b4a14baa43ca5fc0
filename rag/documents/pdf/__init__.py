"""PDF: text extraction in reading order, page by page, and page rendering.

OCR words come with positions and are converted to the same pieces that pdfium gives, so column,
paragraph and heading detection work on scanned pages too. A sentence is located on a printed page
by its letters and digits, and may continue from the end of a line to the beginning of any other; no
box is better than a wrong one.
"""
