#!/usr/bin/env python3
"""Writes a tiny chat model without weights, which is all that Dynamo's simulated engine reads. The same bytes every time.

usage: model.py FOLDER [ORGANISATION/NAME]

FOLDER/plain/NAME                       a plain model folder
FOLDER/hub/models--ORGANISATION--NAME   the same in the layout of the Hugging Face cache (HF_HOME=FOLDER)

The vocabulary is the 256 bytes and made-up words, so that the random token ids of the simulated engine read as text.
Prints the plain folder.
"""

import hashlib
import itertools
import json
import pathlib
import shutil
import sys

VOCABULARY = 32_000
CONTEXT = 8_192
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SYLLABLES = "ba ce di fo gu la me ni ro su ta ve wi xo zu ka".split()
CHAT_TEMPLATE = (
    "{%- for m in messages %}{{- '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def byte_tokens():
    """One printable character per byte value, as byte-level BPE spells them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    stand_ins = itertools.count(256)
    return [chr(byte if byte in printable else next(stand_ins)) for byte in range(256)]


def words():
    for length in (2, 3, 4):
        for syllables in itertools.product(SYLLABLES, repeat=length):
            yield "\u0120" + "".join(syllables)  # U+0120 is how the tokenizer spells a leading space


def tokenizer():
    tokens = itertools.islice(itertools.chain(byte_tokens(), words()), VOCABULARY)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": VOCABULARY + i, **special(token)} for i, token in enumerate(SPECIAL)],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [],
        },
    }


def special(token):
    flags = dict.fromkeys(("lstrip", "normalized", "rstrip", "single_word"), False)
    return {"content": token, "special": True, **flags}


def files():
    end_of_text, _, end_of_turn = range(VOCABULARY, VOCABULARY + 3)
    return {
        "config.json": {
            "architectures": ["Qwen2ForCausalLM"],
            "model_type": "qwen2",
            "hidden_act": "silu",
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "max_position_embeddings": CONTEXT,
            "rms_norm_eps": 1e-6,
            "rope_theta": 10000.0,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "vocab_size": VOCABULARY + len(SPECIAL),
            "bos_token_id": end_of_text,
            "eos_token_id": end_of_turn,
            "use_cache": True,
        },
        "generation_config.json": {
            "bos_token_id": end_of_text,
            "eos_token_id": [end_of_turn, end_of_text],
            "pad_token_id": end_of_text,
            "do_sample": True,
            "temperature": 0.7,
        },
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": {
            "tokenizer_class": "Qwen2Tokenizer",
            "model_max_length": CONTEXT,
            "add_prefix_space": False,
            "bos_token": None,
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "unk_token": None,
            "clean_up_tokenization_spaces": False,
            "chat_template": CHAT_TEMPLATE,
            "added_tokens_decoder": {str(VOCABULARY + i): special(token) for i, token in enumerate(SPECIAL)},
        },
    }


def write_plain(folder, contents):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def write_hub(folder, contents):
    revision = hashlib.sha1(b"".join(contents[name] for name in sorted(contents))).hexdigest()
    shutil.rmtree(folder, ignore_errors=True)
    snapshot = folder / "snapshots" / revision
    for part in (snapshot, folder / "blobs", folder / "refs"):
        part.mkdir(parents=True)
    (folder / "refs" / "main").write_text(revision)
    for name, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        (folder / "blobs" / digest).write_bytes(content)
        (snapshot / name).symlink_to(f"../../blobs/{digest}")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: model.py FOLDER [ORGANISATION/NAME]")
    folder = pathlib.Path(sys.argv[1]).resolve()
    repository = sys.argv[2] if len(sys.argv) == 3 else "acme/Tiny-Chat-0.1B"
    contents = {name: json.dumps(value, ensure_ascii=False).encode() for name, value in files().items()}
    plain = folder / "plain" / repository.split("/")[-1]
    write_plain(plain, contents)
    write_hub(folder / "hub" / ("models--" + repository.replace("/", "--")), contents)
    print(plain)


if __name__ == "__main__":
    main()
