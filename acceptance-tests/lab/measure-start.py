#!/usr/bin/env python3
"""What a start of the provider costs: measure-start.py BINARY [STARTS]

Terraform starts it several times in each command. Printed are the size of the program, the time from its start to the line by
which Terraform finds its socket (median, least and most), and the memory that it holds then.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

COOKIE = {
    "TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
    "PLUGIN_PROTOCOL_VERSIONS": "6",
}


def start(binary: str) -> tuple[float, int]:
    """Milliseconds until the handshake, and resident KiB after it."""
    began = time.perf_counter()
    provider = subprocess.Popen(
        [binary], env={**os.environ, **COOKIE}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        line = provider.stdout.readline()
        milliseconds = (time.perf_counter() - began) * 1000
        if not line.startswith(b"1|6|unix|"):
            sys.exit(f"{binary} said {line!r} and not where its socket is")
        status = pathlib.Path(f"/proc/{provider.pid}/status").read_text()
    finally:
        provider.kill()
        provider.wait()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return milliseconds, int(resident.split()[1])


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    binary, starts = sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 20
    seen = [start(binary) for _ in range(starts)]
    times = [milliseconds for milliseconds, _ in seen]
    print(f"size       {os.path.getsize(binary) / 1e6:.1f} MB")
    print(f"handshake  {statistics.median(times):.1f} ms ({min(times):.1f} to {max(times):.1f}, {starts} starts)")
    print(f"memory     {statistics.median(resident for _, resident in seen) / 1024:.1f} MiB")


if __name__ == "__main__":
    main()
