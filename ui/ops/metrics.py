"""Prometheus metrics, at ``/metrics``. The only module that knows the Prometheus client.

Requests are counted as they end; the size of a library and the state of its jobs are read at scrape
time. No metric names a document, a question or a path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rag import Library, RagError
from ui.jobs import Jobs
from ui.ops.warm_up import WarmUp
from ui.security import policy

PATH = "/metrics"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NOT_FOR_OTHERS = "metrics are for the machine that serves them"

_LIBRARY = {
    "documents": "Documents in the library.",
    "passages": "Passages in the library.",
    "generation": "Rises with every committed change.",
    "bytes": "Size of the library's folder on disk.",
}
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Histogram bucket bounds, in seconds."""


class Metrics:
    """The metrics of one server, in their own registry."""

    def __init__(self, *collectors: Collector) -> None:
        """``collectors`` are read at scrape time."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "rag_http_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "rag_http_request_seconds",
            "From the request to the last byte of the answer.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.open_requests = Gauge(
            "rag_http_requests_open",
            "Requests that are being answered.",
            registry=self._registry,
        )
        Info("rag", "What is running.", registry=self._registry).info({"version": version("rag")})
        ProcessCollector(registry=self._registry)
        for collector in collectors:
            self._registry.register(collector)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a finished request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Render all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class LibraryState(Collector):
    """The state of a library, its jobs and its model, read at scrape time."""

    def __init__(self, library: Library, jobs: Jobs, warming: WarmUp) -> None:
        self._library = library
        self._jobs = jobs
        self._warming = warming

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registration doesn't read the library."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges; those of the library are empty if it can't be read."""
        try:
            status = self._library.status()
        except RagError:
            status = None
        ready = self._warming.state == "ready"
        yield _gauge("ready", "Whether questions are answered at once.", ready)
        yield _gauge("readable", "Whether the library can be read.", status is not None)
        for name, about in _LIBRARY.items():
            yield _gauge(name, about, None if status is None else getattr(status, name))
        states = [job.state for job in self._jobs.all() if not job.is_over]
        pending = _gauge("index_jobs", "Index jobs pending or running.", None, "state")
        for state in ("queued", "running"):
            pending.add_metric([state], states.count(state))
        yield pending
        over = CounterMetricFamily(
            "rag_index_jobs_ended",
            "Index jobs that ended since the server began.",
            labels=["state"],
        )
        for state, number in self._jobs.over().items():
            over.add_metric([state], number)
        yield over


def _gauge(name: str, about: str, value: float | None, *labels: str) -> GaugeMetricFamily:
    """A gauge; without a value, metrics are added to it."""
    return GaugeMetricFamily(f"rag_{name}", about, value, labels or None)


def add_routes(app: FastAPI, metrics: Metrics) -> None:
    """Serve ``/metrics``: to anybody if the server is reachable from this machine only, otherwise
    to authenticated principals.
    """

    @app.get(PATH)
    def metrics_text(request: Request) -> Response:
        user = policy.principal_of(request.scope)
        if not (user.may_change or user.name):
            return PlainTextResponse(NOT_FOR_OTHERS, status_code=403)
        headers = {"cache-control": "no-store"}
        return Response(metrics.text(), media_type=MEDIA_TYPE, headers=headers)
