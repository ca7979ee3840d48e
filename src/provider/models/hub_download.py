# Downloads a model into a Hugging Face cache. Everything it is told is in its environment.
import os
import shutil
import sys
import threading
import time

from huggingface_hub import HfApi, snapshot_download

name, revision = os.environ["MODEL"], os.environ.get("REVISION") or None
cache = os.environ["HF_HUB_CACHE"]
blobs = os.path.join(cache, "models--" + name.replace("/", "--"), "blobs")


def have():
    try:
        return sum(entry.stat().st_size for entry in os.scandir(blobs))
    except OSError:
        return 0


def report():
    while True:
        print("moved", have(), flush=True)
        time.sleep(2)


def check_room():
    listed = HfApi().model_info(name, revision=revision, files_metadata=True).siblings or []
    needed = sum(file.size or 0 for file in listed) - have()
    free = shutil.disk_usage(os.path.dirname(cache)).free
    if needed > free:
        sys.exit("failed no room: %d bytes are needed, and %d are free" % (needed, free))


os.umask(0o022)
threading.Thread(target=report, daemon=True).start()
try:
    check_room()
    print("done", snapshot_download(name, revision=revision, cache_dir=cache), flush=True)
except Exception as error:
    sys.exit("failed %s: %s" % (type(error).__name__, " ".join(str(error).split())))
