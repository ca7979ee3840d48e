"""Stand-ins for what Dynamo's parsers import and this machine need not have: the engines, torch, and a few libraries.

Dynamo's own flags are Dynamo's own code and run as they are. An engine's flags are the engine's: of those only the ones that
the provider writes are known here, as the tables VLLM and SGLANG say. Any other is refused, as an engine would refuse it.
"""

import argparse
import importlib.abc
import importlib.machinery
import json
import sys
import types

# What the provider writes of vLLM's own flags. JSON is read as vLLM reads it, into an object with the fields it knows.
VLLM = {
    "--model": {},
    "--served-model-name": {"nargs": "+"},
    "--tensor-parallel-size": {"type": int, "default": 1},
    "--data-parallel-size": {"type": int, "default": 1},
    "--block-size": {"type": int},
    "--max-model-len": {"type": int},
    "--max-num-seqs": {"type": int},
    "--gpu-memory-utilization": {"type": float},
    "--enforce-eager": {"action": argparse.BooleanOptionalAction, "default": False},
    "--enable-prefix-caching": {"action": argparse.BooleanOptionalAction},
    "--disable-hybrid-kv-cache-manager": {"action": argparse.BooleanOptionalAction, "default": False},
    "--kv-transfer-config": {"type": lambda text: KVTransferConfig(**json.loads(text))},
    "--kv-events-config": {"type": lambda text: KVEventsConfig(**json.loads(text))},
}
# Fields of vLLM that Dynamo looks at and the provider never sets.
VLLM_DEFAULTS = {"load_format": "auto", "enable_lora": False, "stream_interval": 1, "logprobs_mode": "raw_logprobs",
                 "worker_cls": "auto", "scheduler_cls": None, "runner": "auto", "max_num_batched_tokens": None,
                  "trust_remote_code": False, "distributed_executor_backend": None,
                 "enable_log_requests": False, "disable_log_stats": False, "skip_tokenizer_init": False}

SGLANG = {
    "--model-path": {"required": True},
    "--served-model-name": {},
    ("--tp", "--tp-size", "--tensor-parallel-size"): {"type": int, "default": 1, "dest": "tp_size"},
    ("--dp", "--dp-size", "--data-parallel-size"): {"type": int, "default": 1, "dest": "dp_size"},
    "--page-size": {"type": int},
    "--context-length": {"type": int},
    "--tool-call-parser": {},
    "--reasoning-parser": {},
    "--host": {"default": "127.0.0.1"},
    "--port": {"type": int, "default": 30000},
    "--nccl-port": {"type": int},
    "--trust-remote-code": {"action": "store_true"},
    "--enable-metrics": {"action": "store_true"},
    "--kv-events-config": {},
    "--disaggregation-mode": {"choices": ["null", "prefill", "decode"], "default": "null"},
    "--disaggregation-transfer-backend": {"choices": ["mooncake", "nixl", "ascend", "fake", "mori"], "default": "mooncake"},
    "--disaggregation-bootstrap-port": {"type": int, "default": 8998},
}
# The same of SGLang.
SGLANG_DEFAULTS = dict.fromkeys(("elastic_ep_backend", "tool_call_parser", "reasoning_parser", "dllm_algorithm",
                                 "max_running_requests", "attention_backend", "skip_tokenizer_init", "speculative_algorithm")) | {
    "tokenizer_worker_num": 1, "disable_radix_cache": False, "chunked_prefill_size": None, "stream_output": True,
    "enable_dp_attention": False, "load_format": "auto", "language_only": False, "encoder_only": False, "is_embedding": False,
}


class KVTransferConfig:
    def __init__(self, kv_connector=None, kv_role=None, kv_connector_module_path=None, kv_connector_extra_config=None):
        self.kv_connector, self.kv_role = kv_connector, kv_role
        self.kv_connector_module_path = kv_connector_module_path
        self.kv_connector_extra_config = kv_connector_extra_config or {}
        if kv_role not in (None, "kv_producer", "kv_consumer", "kv_both"):
            raise ValueError(f"unsupported kv_role {kv_role!r}")


class KVEventsConfig:
    def __init__(self, enable_kv_cache_events=False, publisher="null", endpoint="tcp://*:5557", topic=""):
        self.enable_kv_cache_events, self.publisher = enable_kv_cache_events, publisher
        self.endpoint, self.topic = endpoint, topic


def _add(parser, table, defaults=None):
    for names, how in table.items():
        parser.add_argument(*([names] if isinstance(names, str) else names), **how)
    parser.set_defaults(**(defaults or {}))
    return parser


class AsyncEngineArgs:
    @staticmethod
    def add_cli_args(parser, async_args_only=False):
        return _add(parser, VLLM, VLLM_DEFAULTS)

    @classmethod
    def from_cli_args(cls, parsed):
        made = cls()
        made.__dict__.update(vars(parsed))
        return made

    def create_model_config(self):
        return Anything()


class FlexibleArgumentParser(argparse.ArgumentParser):
    pass


class _Settings(argparse.Namespace):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return None  # what the provider never sets

    def get_model_config(self):
        return _Settings()


class ServerArgs:
    @staticmethod
    def add_cli_args(parser):
        return _add(parser, SGLANG, SGLANG_DEFAULTS)

    @classmethod
    def from_cli_args(cls, parsed):
        return _Settings(**vars(parsed))


class _Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything

    def __or__(cls, other):
        return cls

    __ror__ = __or__

    def __iter__(cls):
        return iter(())


class Anything(metaclass=_Meta):
    """Can be imported from, called, subclassed and used as a decorator; never has a value that a decision rests on."""

    def __init__(self, *args, **kwargs):
        pass

    def __class_getitem__(cls, item):
        return cls

    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and callable(args[0]) and not kwargs else self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything

    def __mro_entries__(self, bases):
        return (Anything,)


EXACT = {
    "vllm.engine.arg_utils": {"AsyncEngineArgs": AsyncEngineArgs},
    "vllm.distributed.kv_events": {"KVEventsConfig": KVEventsConfig},
    "vllm.config": {"KVTransferConfig": KVTransferConfig},
    "vllm.utils": {"FlexibleArgumentParser": FlexibleArgumentParser},
    "vllm.utils.argparse_utils": {"FlexibleArgumentParser": FlexibleArgumentParser},
    "sglang.srt.server_args": {"ServerArgs": ServerArgs},
}


class _Module(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last in line: whatever Python cannot find, except Dynamo itself."""

    def __init__(self):
        self.used = set()

    def find_spec(self, fullname, path=None, target=None):
        top = fullname.partition(".")[0]
        if top == "dynamo" or top in sys.stdlib_module_names or top.startswith("_"):
            return None
        self.used.add(top)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec):
        module = _Module(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module):
        module.__dict__.update(EXACT.get(module.__name__, {}))
