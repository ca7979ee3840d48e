# Removes files below a folder, and the folders that are empty then. Everything it is told is in its environment.
import os

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
