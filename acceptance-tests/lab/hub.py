#!/usr/bin/env python3
"""A stand-in for the Hugging Face hub: one model out of a folder, by the calls that huggingface_hub makes.

hub.py FOLDER NAME [TOKEN]: serves the files of FOLDER as model NAME at 127.0.0.1, on a port that it prints. With TOKEN only
to those who bring it. Files of more than a megabyte are large files: what names them is their SHA-256.
"""

import hashlib
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER, NAME = sys.argv[1:3]
TOKEN = sys.argv[3] if len(sys.argv) > 3 else None
FILES = sorted(entry.name for entry in os.scandir(FOLDER) if entry.is_file())
LARGE = 1 << 20


def content(name):
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


def etag(data):
    if len(data) >= LARGE:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


COMMIT = hashlib.sha1("".join(FILES).encode()).hexdigest()


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if "content-length" not in (name for name, _ in headers):
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refused(self):
        if TOKEN and self.headers.get("authorization") != "Bearer " + TOKEN:
            self.answer(401, b"{}", [("x-error-code", "GatedRepo"), ("x-error-message", "Access to this model is restricted.")])
            return True
        return False

    def do_GET(self):
        path = self.path.split("?")[0]
        if self.refused():
            return
        for prefix in ("/api/models/%s/revision/main" % NAME, "/api/models/%s/revision/%s" % (NAME, COMMIT), "/api/models/" + NAME):
            if path == prefix:
                siblings = [{"rfilename": name, "size": len(content(name))} for name in FILES]
                return self.answer(200, json.dumps({"id": NAME, "sha": COMMIT, "siblings": siblings}).encode(), [("content-type", "application/json")])
        for revision in ("main", COMMIT):
            prefix = "/%s/resolve/%s/" % (NAME, revision)
            if path.startswith(prefix) and path[len(prefix):] in FILES:
                data = content(path[len(prefix):])
                headers = [("etag", '"%s"' % etag(data)), ("x-repo-commit", COMMIT), ("accept-ranges", "bytes")]
                if self.command == "HEAD":
                    return self.answer(200, headers=headers + [("content-length", str(len(data)))])
                begin = int((self.headers.get("range") or "bytes=0-").split("=")[1].split("-")[0])
                status = 206 if self.headers.get("range") else 200
                if status == 206:
                    headers.append(("content-range", "bytes %d-%d/%d" % (begin, len(data) - 1, len(data))))
                return self.answer(status, data[begin:], headers)
        self.answer(404, b"{}", [("x-error-code", "RepoNotFound")])

    do_HEAD = do_GET


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
print(server.server_address[1], flush=True)
server.serve_forever()
