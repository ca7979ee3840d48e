#!/usr/bin/env python3
"""Dynamo's own parsers judge the command lines that the provider writes.

usage: referee.py [VERSION…]

Judged are the golden blueprints of src/dynamo/tests/testdata, and everything that the provider's tables allow: each release with each
engine, mode, router mode, connector and network (a unit test writes that list). Each command line goes with its environment to
the parsers of the very release it is for, from NVIDIA's wheels on PyPI: it must be accepted, and be understood as it was meant.
Not one GPU and not one engine is needed; what is not checked therefore is said in stand_ins.py. LMCache's server is judged by the
parsers of LMCache itself, in versions from the first that has the command to the newest.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import lmcache_server

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CACHE = Path(os.environ.get("DYNAMO_LAB_DIR", REPOSITORY / ".lab")) / "referee"
GOLDEN = REPOSITORY / "src" / "dynamo" / "tests" / "testdata"
# The last version of each line of releases.
VERSIONS = ["1.0.2", "1.1.1", "1.2.1", "1.3.1", "1.4.2", "1.5.1", "1.6.1"]
# Of LMCache. Which one is in which image of NVIDIA's is not published.
SERVERS = ["0.4.4", "0.4.7", "0.5.1", "0.5.6"]
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
    """A container of Dynamo's, and what was wanted of it: `wish` is in the words of a configuration."""

    def __init__(self, case, version, wish, component, argv, env, ports=()):
        self.case, self.version, self.wish, self.component, self.argv, self.env = case, version, wish, component, argv, env
        self.ports = ports


def combinations():
    """Everything that the tables allow."""
    say("==> Writing every combination (cargo test every_combination)")
    CACHE.mkdir(parents=True, exist_ok=True)
    file = CACHE / "cases.json"
    test = ["cargo", "test", "--quiet", "--lib", "dynamo::tests::every_combination"]
    subprocess.run(test, cwd=REPOSITORY, env=os.environ | {"REFEREE_CASES": str(file)}, check=True, stdout=subprocess.DEVNULL)
    for case in json.loads(file.read_text()):
        wish = case["wish"]
        name = " ".join(str(wish[word]) for word in ("engine", "mode", "network", "connector", "role")) + " " + wish["router"]["mode"]
        yield Container(name, wish["dynamo_version"], wish, case["component"], case["argv"], case["env"], case["ports"])


def golden_containers():
    for result in sorted(GOLDEN.glob("*.txt")):
        case = json.loads(result.with_suffix(".json").read_text())
        workers = iter(case.get("workers", []))
        for block in re.split(r"^(?=container )", result.read_text(), flags=re.M)[1:]:
            lines = block.splitlines()
            component = re.search(r"\((\w+)\)$", lines[0])[1]
            said = dict(line.strip().split(" ", 1) for line in lines[1:] if line.startswith(("  image ", "  run ")))
            argv = json.loads(said["run"])
            env = dict(line[len("  env "):].split("=", 1) for line in lines if line.startswith("  env "))
            worker = next(workers, {}) if component == "worker" else {}
            if argv[:2] == ["python3", "-m"]:
                version = said["image"].rsplit(":", 1)[-1]
                yield Container(result.stem, version, golden_wish(case, worker), component, argv[1:], env)


def golden_wish(case, worker):
    common = case["deployment"]["common"]
    model = common["model"].rstrip("/")
    # A folder goes by its name, and a snapshot in a cache by that of its model.
    folder = model.split("/snapshots/")[0].rsplit("/", 1)[-1].removeprefix("models--")
    default_name = folder if model.startswith("/") else model
    # A copy on the host goes by its path.
    model = case.get("host", {}).get("model_place", {}).get("folder", model)
    wish = {"mode": "aggregated", "network": "bridge", "router": {}} | common
    return wish | {
        "model": model, "served_model_name": common.get("served_model_name") or default_name,
        "connector": common.get("connector", {}).get("type"), "server": common.get("connector", {}).get("server"), "role": worker.get("role", "decode"),
    }


def expected(container):
    """What the parser must have understood, from what was asked for and never from the command line."""
    wish = container.wish
    shared = {"request_plane": "tcp", "event_plane": "zmq", "discovery_backend": "etcd" if wish["network"] == "host" else "file"}
    if container.component == "frontend":
        return shared | expected_frontend(wish)
    role = wish["role"] if wish["mode"] == "disaggregated" else "agg"
    wanted = shared | {
        "model": wish["model"], "served_model_name": wish["served_model_name"],
        "role": role, "component": component(container, role), "endpoint": "generate",
        "namespace": lambda found: found.startswith(wish["name"]),
    }
    if "gpus" in wish:
        wanted["tensor_parallel"] = wish["gpus"]
    if wish.get("connector"):
        wanted |= expected_connector(wish["engine"], kind(container), role)
        # Reports of the cache: where the router wants them, from whoever fills a cache.
        wanted["use_kv_events"] = wish["router"].get("mode") == "kv" and role != "decode"
    return wanted


def kind(container):
    """The connector, and of LMCache which form of it. Where a golden case does not say: from 1.5 on a server."""
    wish = container.wish
    line = tuple(int(part) for part in container.version.split(".")[:2])
    server = line >= (1, 5) if wish.get("server") is None else wish["server"]
    return "lmcache server" if wish["connector"] == "lmcache" and server else wish["connector"]


def component(container, role):
    """Under which the provider looks for the worker. TensorRT-LLM had its own until 1.2."""
    if role == "prefill":
        return "prefill"
    return "tensorrt_llm" if container.wish["engine"] == "trtllm" and container.version < "1.3" else "backend"


def expected_frontend(wish):
    router = wish["router"]
    wanted = {"router_mode": router.get("mode", "round-robin"), "namespace": None, "http_port": int,
              "namespace_prefix": wish["name"] + "--", "migration_limit": int(wish.get("env", {}).get("DYN_MIGRATION_LIMIT", 3))}
    options = {"temperature": "router_temperature", "kv_events": "use_kv_events", "replica_sync": "router_replica_sync",
               "ttl_seconds": "router_ttl_secs", "overlap_score_credit": "overlap_score_credit"}
    return wanted | {options[name]: value for name, value in router.items() if name in options and value is not None}


# What moves KV caches, as each engine names it, by connector and role; a role that is not there uses that of "agg".
CONNECTORS = {
    "vllm": {
        "none": {"agg": []},
        "nixl": {"agg": ["NixlConnector"]},
        "kvbm": {"agg": ["DynamoConnector"], "prefill": ["PdConnector", "DynamoConnector", "NixlConnector"],
                 "decode": ["NixlConnector"]},
        "lmcache": {"agg": ["LMCacheConnectorV1"], "prefill": ["PdConnector", "LMCacheConnectorV1", "NixlConnector"],
                    "decode": ["NixlConnector"]},
        "lmcache server": {"agg": ["LMCacheMPConnector"]},
    },
    "trtllm": {"none": {"agg": []}, "nixl": {"agg": []}, "kvbm": {"agg": ["kvbm"]}},
}


def expected_connector(engine, connector, role):
    if engine == "sglang":
        return {"transfer_backend": "nixl"} if connector == "nixl" else {}
    by_role = CONNECTORS.get(engine, {}).get(connector)
    if by_role is None:
        return {}
    wanted = {"connectors": by_role.get(role, by_role["agg"])}
    if engine == "trtllm" and role != "agg":
        wanted["engine_overrides"] = lambda found: "cache_transceiver_config" in json.loads(found)
    return wanted


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
            meant = "something else" if callable(value) else repr(value)
            yield f"{name} is {found[name]!r}, meant was {meant}"


def judged(version, containers):
    folders = [unpacked(version, [f"ai-dynamo=={version}", f"ai-dynamo-runtime=={version}"]), unpacked("libraries", LIBRARIES)]
    # The same command line comes out of many combinations.
    texts = [json.dumps({"argv": container.argv, "env": container.env}, sort_keys=True) for container in containers]
    unique = list(dict.fromkeys(texts))
    judge = [sys.executable, "-s", str(HERE / "judge.py"), *map(str, folders)]
    answer = subprocess.run(judge, input=f"[{','.join(unique)}]", stdout=subprocess.PIPE, text=True, check=True)
    verdicts = dict(zip(unique, json.loads(answer.stdout)))
    return [(container, verdicts[text]) for container, text in zip(containers, texts)]


def expected_server(container):
    """Of LMCache's server. On the hosts' network nobody from outside may reach it, and each port is one that was picked."""
    wish, ports = container.wish, container.ports or (5555, 8080, 9090)
    listens = "127.0.0.1" if wish["network"] == "host" else "0.0.0.0"
    return {"host": listens, "http_host": listens, "port": ports[0], "http_port": ports[1], "prometheus_port": ports[2],
            "l1_size_gb": float(container.wish["cpu_cache_gb"]), "eviction_policy": "LRU"}


def judged_servers(version, containers):
    folder = unpacked(f"lmcache-{version}", [f"lmcache=={version}"])
    return [(container, lmcache_server.understood(folder, container.argv[1:])) for container in containers]


def disagreements(verdicts):
    """Block sizes that differ among workers whose routing needs them to be the same."""
    sizes = {}
    for container, verdict in verdicts:
        if container.component == "worker" and "values" in verdict:
            key = (container.case.replace(" prefill ", " ").replace(" decode ", " "), container.wish["served_model_name"])
            sizes.setdefault(key, set()).add(verdict["values"].get("block_size"))
    return [f"{case}: block sizes {found} in one deployment" for (case, _), found in sizes.items() if len(found) > 1]


def main():
    wrong, counts = [], {}
    containers = list(combinations()) + list(golden_containers())
    servers = [container for container in containers if container.argv[0] == "server"]
    containers = [container for container in containers if container.argv[0] != "server"]
    for version in sys.argv[1:] or VERSIONS:
        verdicts = judged(version, [container for container in containers if container.version == version])
        for container, verdict in verdicts:
            counts[version, container.argv[1]] = counts.get((version, container.argv[1]), 0) + 1
            faults = [verdict["refused"]] if "refused" in verdict else differences(expected(container), verdict["values"])
            wrong += [f"{version} {container.case} ({container.component}): {fault}\n    {container.argv}" for fault in faults]
        wrong += [f"{version} {fault}" for fault in disagreements(verdicts)]
    for version in [] if sys.argv[1:] else SERVERS:
        for container, verdict in judged_servers(version, servers):
            counts[f"lmcache {version}", "server"] = counts.get((f"lmcache {version}", "server"), 0) + 1
            faults = [verdict["refused"]] if "refused" in verdict else differences(expected_server(container), verdict["values"])
            wrong += [f"lmcache {version} {container.case}: {fault}\n    {container.argv}" for fault in faults]
    if not counts:
        sys.exit("nothing is of these versions: nothing was judged")
    for (version, module), count in sorted(counts.items()):
        print(f"{version}  {module:16} {count:4} command lines {'judged' if wrong else 'accepted, and understood as meant'}")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
