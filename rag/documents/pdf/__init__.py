"""PDF: text extraction in reading order, page by page, and page rendering.

OCR words come with positions and are converted to the same pieces that pdfium gives, so column,
paragraph and heading detection work on scanned pages too. A sentence is located on a printed page
by finding the page's lines in its text; no box is better than a wrong one.
"""
