"""The parser of `lmcache server`, out of LMCache's own wheels and without what it would import (torch, CUDA).

The functions that declare its arguments are taken out of their modules and run as they are. A default that a module computes
from something else is then unknown: nothing here looks at it.
"""

import argparse
import ast
import contextlib
import io
from unittest.mock import MagicMock

# Where `lmcache server` gets its arguments from, in every version that has the command.
MODULES = ["v1/multiprocess/config.py", "v1/distributed/config.py", "v1/mp_observability/config.py"]
DECLARE = ["add_mp_server_args", "add_storage_manager_args", "add_http_frontend_args", "add_observability_args"]
TAKE = ("host", "port", "http_host", "http_port", "prometheus_port", "l1_size_gb", "eviction_policy")


class Names(dict):
    """What a module would have imported."""

    def __missing__(self, name):
        if name in vars(__import__("builtins")):
            raise KeyError(name)
        return MagicMock(name=name)


class NoImports(ast.NodeTransformer):
    """What is imported on the way is as unknown as the rest."""

    def visit_Import(self, _):
        return ast.Pass()

    visit_ImportFrom = visit_Import


def declarations(folder):
    """The functions that declare arguments, by name."""
    found = Names(argparse=argparse)
    for module in MODULES:
        tree = ast.fix_missing_locations(NoImports().visit(ast.parse((folder / "lmcache" / module).read_text())))
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith(("add_", "_add_"))]
        exec(compile(ast.Module(functions, []), module, "exec"), found)  # noqa: S102
    return found


def understood(folder, argv):
    """What the server of that version takes `argv` for: {"values": …}, or {"refused": its complaint}."""
    parser = argparse.ArgumentParser("lmcache server", exit_on_error=False)
    functions = declarations(folder)
    for name in DECLARE:
        functions[name](parser)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            values = parser.parse_args(argv)
    except (SystemExit, argparse.ArgumentError) as error:
        return {"refused": complaint.getvalue() or str(error)}
    return {"values": {name: getattr(values, name) for name in TAKE}}
