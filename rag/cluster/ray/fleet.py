"""Which machines a run is to use. Needs no Ray."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fleet:
    """The machines to use.

    Parameters
    ----------
    address
        Of a Ray cluster, as Ray has it: ``auto`` for the one that this machine is part of, or
        ``host:port``. ``local`` starts one on this machine, for the time of the run.
    actors
        How many copies of the model; by default one for each machine, or for each GPU.
    gpus
        How many GPUs each of them has.
    """

    address: str
    actors: int | None = None
    gpus: float = 0.0
