#!/bin/bash
# What the real image's start.sh is to it: the last word of the container's start.
exec python3 server.py
