"""Prometheus metrics, at ``/metrics``. The only module that knows the Prometheus client.

Requests are counted as they end; the size of a library and the state of its jobs are read at scrape
time. No metric names a document, a question or a path.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
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
from ui.security import principal

PATH = "/metrics"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NOT_FOR_OTHERS = "metrics are for the machine that serves them"

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Histogram bucket bounds, in seconds."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of the library at scrape time.

    ``documents``, ``passages``, ``generation`` and
    ``bytes`` are None if the library can't be read. ``jobs`` counts queued and running jobs,
    ``jobs_over`` those that finished since the server started, by state.
    """

    ready: bool
    documents: int | None = None
    passages: int | None = None
    generation: int | None = None
    bytes: int | None = None
    jobs: Mapping[str, int] = field(default_factory=dict)
    jobs_over: Mapping[str, int] = field(default_factory=dict)


def read(library: Library, jobs: Jobs, warming: WarmUp) -> Reading:
    """Read the library's current state."""
    states = [job.state for job in jobs.all() if not job.is_over]
    reading = Reading(
        ready=warming.state == "ready",
        jobs={state: states.count(state) for state in ("queued", "running")},
        jobs_over=jobs.over(),
    )
    try:
        status = library.status()
    except RagError:
        return reading
    return replace(
        reading,
        documents=status.documents,
        passages=status.passages,
        generation=status.generation,
        bytes=status.bytes,
    )


class Metrics:
    """The metrics of one server, in their own registry."""

    def __init__(self, library: Callable[[], Reading]) -> None:
        """``library`` returns the state of the library."""
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
        self._open = Gauge(
            "rag_http_requests_open",
            "Requests that are being answered.",
            registry=self._registry,
        )
        Info("rag", "What is running.", registry=self._registry).info({"version": version("rag")})
        ProcessCollector(registry=self._registry)
        self._registry.register(_LibraryState(library))

    @contextlib.contextmanager
    def one_open(self) -> Iterator[None]:
        """Count a request as being in progress."""
        with self._open.track_inprogress():
            yield

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a finished request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Render all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _LibraryState(Collector):
    """Collects the state of the library at scrape time."""

    def __init__(self, library: Callable[[], Reading]) -> None:
        self._library = library

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registration doesn't read the library."""
        return ()

    def collect(self) -> Iterable[Metric]:
        ready = _gauge("ready", "Whether questions are answered at once.")
        readable = _gauge("readable", "Whether the library can be read.")
        held = {
            "documents": _gauge("documents", "Documents in the library."),
            "passages": _gauge("passages", "Passages in the library."),
            "generation": _gauge("generation", "Rises with every committed change."),
            "bytes": _gauge("bytes", "Size of the library's folder on disk."),
        }
        jobs = _gauge("index_jobs", "Index jobs pending or running.", "state")
        over = CounterMetricFamily(
            "rag_index_jobs_ended",
            "Index jobs that ended since the server began.",
            labels=["state"],
        )
        reading = self._library()
        ready.add_metric([], reading.ready)
        readable.add_metric([], reading.documents is not None)
        for name, family in held.items():
            value: int | None = getattr(reading, name)
            if value is not None:
                family.add_metric([], value)
        for state, number in reading.jobs.items():
            jobs.add_metric([state], number)
        for state, number in reading.jobs_over.items():
            over.add_metric([state], number)
        return (ready, readable, *held.values(), jobs, over)


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"rag_{name}", about, labels=labels)


def add_routes(app: FastAPI, metrics: Metrics) -> None:
    """Serve ``/metrics``: to anybody if the server is reachable from this machine only, otherwise
    to authenticated principals.
    """

    @app.get(PATH)
    def metrics_text(request: Request) -> Response:
        user = principal.of(request.scope)
        if not (user.may_change or user.name):
            return PlainTextResponse(NOT_FOR_OTHERS, status_code=403)
        headers = {"cache-control": "no-store"}
        return Response(metrics.text(), media_type=MEDIA_TYPE, headers=headers)
