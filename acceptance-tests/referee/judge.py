#!/usr/bin/env python3
"""Asks the parsers of one release of Dynamo. usage: judge.py FOLDER… <cases.json >verdicts.json

FOLDER: where the wheels are unpacked. A case is {"argv": ["-m", "dynamo.frontend", …], "env": {…}}; a verdict has what was
understood ("values"), or why it was refused ("refused"), and which modules were stand-ins. Each case has a process of its
own: parsers read the environment when they are imported.
"""

import asyncio
import contextlib
import io
import json
import os
import sys
import tempfile

sys.path[:0] = sys.argv[1:]
# Once, and not in each case's process: none of these reads a variable of Dynamo's.
import pydantic, msgspec, uvloop, yaml  # noqa: E401, F401
import stand_ins


def frontend(argv):
    from dynamo.frontend import main

    config = main.parse_args()[0]
    take = ("http_host", "http_port", "router_mode", "namespace", "namespace_prefix", "discovery_backend", "request_plane",
            "event_plane", "migration_limit", "use_kv_events", "router_temperature", "router_ttl", "router_ttl_secs",
            "router_replica_sync", "overlap_score_credit", "kv_overlap_score_weight", "enforce_disagg")
    return {name: getattr(config, name) for name in take if hasattr(config, name)}


def mocker(argv):
    from dynamo.mocker import args

    config = args.parse_args()
    namespace, component, name = config.endpoint.removeprefix("dyn://").split(".")
    return {
        "model": config.model_path, "served_model_name": config.model_name, "role": config.disaggregation_mode,
        "namespace": namespace, "component": component, "endpoint": name, "block_size": config.block_size,
        "discovery_backend": config.discovery_backend, "request_plane": config.request_plane,
        "event_plane": getattr(config, "event_plane", None),
    }


def word(value):
    return getattr(value, "value", value)


def runtime(config):
    take = ("namespace", "component", "endpoint", "discovery_backend", "request_plane", "event_plane", "use_kv_events")
    return {name: word(getattr(config, name, None)) for name in take}


def connectors(transfer):
    """Every connector of a transfer configuration, outermost first."""
    if transfer is None:
        return []
    inner = transfer.kv_connector_extra_config.get("connectors", [])
    return [transfer.kv_connector] + [child["kv_connector"] for child in inner]


def vllm(argv):
    from dynamo.vllm import args

    config = args.parse_args()
    engine = config.engine_args
    return runtime(config) | {
        "model": config.model, "served_model_name": config.served_model_name, "role": word(config.disaggregation_mode),
        "block_size": engine.block_size, "tensor_parallel": engine.tensor_parallel_size,
        "connectors": connectors(engine.kv_transfer_config),
        "events_endpoint": getattr(engine.kv_events_config, "endpoint", None),
        "hybrid_off": engine.disable_hybrid_kv_cache_manager,
    }


def sglang(argv):
    import dynamo.sglang.args as args

    async def no_download(*_, **__):
        return None

    args.fetch_model = no_download
    config = asyncio.run(args.parse_args(argv))
    server = config.server_args
    events = json.loads(server.kv_events_config) if server.kv_events_config else {}
    return runtime(config.dynamo_args) | {
        "model": server.model_path, "served_model_name": server.served_model_name, "role": word(config.serving_mode),
        "block_size": server.page_size, "tensor_parallel": server.tp_size, "events_endpoint": events.get("endpoint"),
        "transfer_backend": server.disaggregation_transfer_backend, "bootstrap_port": server.disaggregation_bootstrap_port,
    }


def trtllm(argv):
    from dynamo.trtllm import args

    parse = getattr(args, "parse_args", None) or args.cmd_line_args
    config = parse(argv)
    return runtime(config) | {
        "model": config.model, "served_model_name": config.served_model_name, "role": word(config.disaggregation_mode),
        "block_size": config.kv_block_size, "tensor_parallel": config.tensor_parallel_size, "connectors": config.connector,
        "engine_overrides": config.override_engine_args or None,
    }


PARSERS = {"dynamo.frontend": frontend, "dynamo.mocker": mocker, "dynamo.vllm": vllm, "dynamo.sglang": sglang,
           "dynamo.trtllm": trtllm}


def ask(case):
    os.environ.clear()
    os.environ.update({"PATH": "/usr/bin:/bin", "HOME": tempfile.gettempdir(), "DYN_LOG": "error"} | case["env"])
    _, module, *argv = case["argv"]
    sys.argv = [module, *argv]
    finder = stand_ins.Finder()
    sys.meta_path.append(finder)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            values = PARSERS[module](argv)
        return {"values": values, "stand_ins": sorted(finder.used)}
    except SystemExit as exit:
        return {"refused": f"exit {exit.code}: {said.getvalue().strip()[-600:]}"}
    except Exception as error:  # whatever it is, Dynamo would have ended with it
        import traceback

        return {"refused": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()[-3000:]}


def in_child(case):
    """A process of its own; what it prints past Python (Dynamo's Rust part logs) goes nowhere."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        with os.fdopen(write, "w") as pipe:
            json.dump(ask(case), pipe, default=str)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    os.wait()
    return json.loads(answer) if answer else {"refused": "the parser's process died"}


if __name__ == "__main__":
    json.dump([in_child(case) for case in json.load(sys.stdin)], sys.stdout)
