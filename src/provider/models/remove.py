# Removes files below a folder, and the folders that are empty then. Everything it is told is in its environment.
import os
import shutil

folder = os.environ["FOLDER"]
for name in os.environ["FILES"].split("\n"):
    try:
        os.remove(os.path.join(folder, name))
    except FileNotFoundError:
        pass
for parent, _, _ in os.walk(folder, topdown=False):
    try:
        os.rmdir(parent)
    except OSError:
        pass
if not os.path.exists(folder):
    locks = os.path.join(os.path.dirname(folder), ".locks", os.path.basename(folder))
    shutil.rmtree(locks, ignore_errors=True)
