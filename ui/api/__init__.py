"""The REST API, under ``/api/v1``.

:mod:`ui.api.application` puts it together; each other module has the schemas and routes of one
resource. :mod:`ui.api.problems` defines all errors.
"""
