"""The REST API: what programs on the same server ask, under ``/api/v1``.

:mod:`ui.api.application` puts it together; each of the other modules has the shapes and the routes
of one matter. :mod:`ui.api.problems` has all that may go wrong.
"""
