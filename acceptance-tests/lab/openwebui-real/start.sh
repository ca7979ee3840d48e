#!/bin/bash
# What the project's own image calls by this name, as far as a container without downloads and GPUs needs it.
cd "$(dirname "$0")" || exit 1
exec python3 -c 'from open_webui import app; app()' serve --host "${HOST:-0.0.0.0}" --port "${PORT:-8080}"
