"""A Ray cluster of two machines, both of them this one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ray.cluster_utils import Cluster


@dataclass(frozen=True, slots=True)
class Two:
    """The cluster; the driver runs on the head, and the other machine can be lost."""

    cluster: Cluster
    other: Any

    @property
    def address(self) -> str:
        """To connect to."""
        return str(self.cluster.address)

    def lose(self) -> None:
        """Kill all that runs on the other machine."""
        self.cluster.remove_node(self.other, allow_graceful=False)


@contextmanager
def two_machines(cores: int = 1) -> Iterator[Two]:
    """Both with so many cores, as Ray counts them."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": cores, "include_dashboard": False}
    )
    try:
        yield Two(cluster, cluster.add_node(num_cpus=cores))
    finally:
        cluster.shutdown()
