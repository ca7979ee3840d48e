#!/usr/bin/env python3
"""Dynamo's own parsers judge the command lines that the provider writes.

usage: referee.py [VERSION…]

Every golden blueprint of src/dynamo/testdata names the release it is for and what was asked for. Its containers' command lines
and environments go to the parsers of that very release, from NVIDIA's wheels on PyPI: each must be accepted, and be understood
as it was meant. Not one GPU and not one engine is needed; what is not checked therefore is said in stand_ins.py.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CACHE = Path(os.environ.get("DYNAMO_LAB_DIR", REPOSITORY / ".lab")) / "referee"
GOLDEN = REPOSITORY / "src" / "dynamo" / "testdata"
# The last version of each line of releases.
VERSIONS = ["1.0.2", "1.1.1", "1.2.1", "1.3.1", "1.4.2", "1.5.1", "1.6.1"]
# What the parsers import and the wheels do not bring.
LIBRARIES = ["pydantic==2.13.5", "pydantic_core==2.46.5", "annotated_types==0.8.0", "typing_extensions==4.16.0",
             "typing_inspection==0.4.5", "uvloop==0.23.0", "msgspec==0.22.0", "packaging==26.3", "pyyaml==6.0.3"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def unpacked(name, requirements):
    """The folder with these packages and nothing they depend on; downloaded once."""
    folder = CACHE / name
    if not (folder / ".complete").exists():
        say(f"==> Downloading {' '.join(requirements[:2])}")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore",
               "--no-deps", "--no-compile", "--only-binary=:all:", "--target", str(folder)]
        subprocess.run([*pip, *requirements], check=True, stdout=sys.stderr)
        (folder / ".complete").touch()
    return folder


class Container:
    """A container of Dynamo's, and what was wanted of it."""

    def __init__(self, case, wish, component, image, argv, env):
        self.case, self.wish, self.component, self.argv, self.env = case, wish, component, argv, env
        self.version = image.rsplit(":", 1)[-1]


def golden_containers():
    for result in sorted(GOLDEN.glob("*.txt")):
        wish = json.loads(result.with_suffix(".json").read_text())
        blocks = re.split(r"^(?=container )", result.read_text(), flags=re.M)[1:]
        workers = iter(wish.get("workers", []))
        for block in blocks:
            lines = block.splitlines()
            component = re.search(r"\((\w+)\)$", lines[0])[1]
            said = dict(line.strip().split(" ", 1) for line in lines[1:] if line.startswith(("  image ", "  run ")))
            argv = json.loads(said["run"])
            env = dict(line[len("  env "):].split("=", 1) for line in lines if line.startswith("  env "))
            worker = next(workers, {}) if component == "worker" else {}
            if argv[:2] == ["python3", "-m"]:
                yield Container(result.stem, wish["deployment"] | {"worker": worker}, component, said["image"], argv[1:], env)


def expected(container):
    """What the parser must have understood, from what was asked for and never from the command line."""
    common = container.wish["common"]
    shared = {"request_plane": "tcp", "event_plane": "zmq"}
    shared["discovery_backend"] = "etcd" if common.get("network") == "host" or container.env.get("ETCD_ENDPOINTS") else "file"
    if container.component == "frontend":
        return shared | expected_frontend(container)
    disaggregated = common.get("mode") == "disaggregated"
    model = common["model"].rstrip("/")
    default_name = model.rsplit("/", 1)[-1] if model.startswith("/") else model
    role = container.wish["worker"].get("role", "decode") if disaggregated else "agg"
    return shared | {
        "model": model, "served_model_name": common.get("served_model_name") or default_name,
        "role": role, "component": "prefill" if role == "prefill" else "backend", "endpoint": "generate",
        "namespace": lambda found: found.startswith(common["name"]),
    }


def expected_frontend(container):
    router = container.wish["common"].get("router", {})
    wanted = {"router_mode": router.get("mode", "round-robin"), "namespace": None, "http_port": int,
              "namespace_prefix": container.wish["common"]["name"] + "--"}
    options = {"temperature": "router_temperature", "kv_events": "use_kv_events", "replica_sync": "router_replica_sync",
               "ttl_seconds": "router_ttl_secs", "overlap_score_credit": "overlap_score_credit"}
    return wanted | {options[name]: value for name, value in router.items() if name in options and value is not None}


# Engines spell the role of a worker that does both phases differently.
SAME = {"aggregated": "agg", "prefill_and_decode": "agg", "null": "agg"}


def differences(wanted, found):
    for name, value in wanted.items():
        if name not in found or (name == "event_plane" and found[name] is None):
            continue  # this parser has no such argument: the runtime reads the variable itself
        is_ = SAME.get(found[name], found[name]) if isinstance(found[name], str) else found[name]
        if callable(value):
            fits = isinstance(is_, value) if isinstance(value, type) else value(is_)
        elif isinstance(is_, float) or isinstance(value, float):
            fits = float(value) == float(is_)
        else:
            fits = value == is_
        if not fits:
            yield f"{name} is {found[name]!r}, meant was {value!r}"


def judged(version, containers):
    folders = [unpacked(version, [f"ai-dynamo=={version}", f"ai-dynamo-runtime=={version}"]), unpacked("libraries", LIBRARIES)]
    cases = json.dumps([{"argv": container.argv, "env": container.env} for container in containers])
    judge = [sys.executable, "-s", str(HERE / "judge.py"), *map(str, folders)]
    answer = subprocess.run(judge, input=cases, stdout=subprocess.PIPE, text=True, check=True)
    return zip(containers, json.loads(answer.stdout))


def main():
    versions = sys.argv[1:] or VERSIONS
    wrong, counts = [], {}
    containers = list(golden_containers())
    for version in versions:
        mine = [container for container in containers if container.version == version]
        for container, verdict in judged(version, mine):
            module = container.argv[1]
            counts[version, module] = counts.get((version, module), 0) + 1
            faults = [verdict["refused"]] if "refused" in verdict else differences(expected(container), verdict["values"])
            wrong += [f"{version} {container.case} ({container.component}): {fault}\n    {container.argv}" for fault in faults]
    for (version, module), count in sorted(counts.items()):
        print(f"{version}  {module:16} {count:4} command lines accepted" if not wrong else f"{version}  {module:16} {count:4} judged")
    if not counts:
        sys.exit("no golden blueprint is of these versions: nothing was judged")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
