"""The machines to use for a run. Does not import Ray."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fleet:
    """The machines to use.

    Parameters
    ----------
    address
        Ray cluster address: ``auto`` for the cluster this machine belongs to, or ``host:port``.
        ``local`` starts a cluster on this machine for the duration of the run.
    actors
        Number of model replicas; by default one per machine, or per GPU.
    gpus
        Number of GPUs per replica.
    """

    address: str
    actors: int | None = None
    gpus: float = 0.0
