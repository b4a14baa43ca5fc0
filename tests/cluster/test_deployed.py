"""The examples for clusters say what Ray and the command understand."""

from __future__ import annotations

import json
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from rag.cli.main import app

FOLDER = Path(__file__).parents[2] / "ui" / "deployment"


def test_cluster_file() -> None:
    """What `ray up` takes, by Ray's own schema where it is installed; as many workers as there are
    addresses; and no machine tells how it is used.
    """
    found = yaml.safe_load((FOLDER / "ray-cluster.yaml").read_text())
    assert found["max_workers"] == len(found["provider"]["worker_ips"])
    for name in ("head_start_ray_commands", "worker_start_ray_commands"):
        assert found[name][-1].startswith("RAY_USAGE_STATS_ENABLED=0 ray start ")
    spec = find_spec("ray")
    if spec is None or spec.origin is None:
        pytest.skip("Ray is not installed: make cluster")
    schema = json.loads(
        Path(spec.origin).with_name("autoscaler").joinpath("ray-schema.json").read_text()
    )
    unknown = found.keys() - schema["properties"].keys()
    assert not unknown
    assert found.keys() >= set(schema["required"])


def test_job_file() -> None:
    """A job that KubeRay takes, whose command the command line takes, too."""
    job = yaml.safe_load((FOLDER / "ray-job.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    program, command, *arguments = shlex.split(job["spec"]["entrypoint"])
    assert (program, command) == ("rag", "index")
    group = typer.main.get_command(app(["index"]))
    context = group.commands[command].make_context(command, arguments)  # type: ignore[attr-defined]
    assert context.params["ray"] == "auto"
    assert context.params["library"].startswith("s3://")
    for container in containers(job["spec"]["rayClusterSpec"]):
        assert container["envFrom"] == [{"secretRef": {"name": "rag-storage"}}]
        assert {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"} in container["env"]
        assert not any("KEY" in one["name"] for one in container["env"]), "no secret in a file"


def containers(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of all machines."""
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [one for group in groups for one in group["template"]["spec"]["containers"]]
