"""Stands in for Open WebUI: what it is told, it tells; it chats with nobody.

GET /health          200 once it serves
GET /told            the variables that matter, and whether it was given a key and a password (never their values)
GET /models          what the deployments' own /models say, asked as Open WebUI would ask
GET /login?password  whether that is the administrator's password
Its accounts are in webui.db, in the one table of Open WebUI's that the provider knows of.
"""
import hashlib
import json
import os
import signal
import sqlite3
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import bcrypt

TOLD = ("OPENAI", "ENABLE", "WEBUI_AUTH", "WEBUI_ADMIN_EMAIL", "DEFAULT_MODEL", "OFFLINE_MODE", "HOST", "PORT", "GREETING")
DATA = os.environ["DATA_DIR"]
KEY = os.environ.get("WEBUI_SECRET_KEY", "")


def hashed(password):
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


def accounts():
    connection = sqlite3.connect(os.path.join(DATA, "webui.db"))
    with connection:
        connection.execute("create table if not exists auth (id text, email text, password text, active integer)")
    return connection


def first_start():
    email, password = os.environ.get("WEBUI_ADMIN_EMAIL"), os.environ.get("WEBUI_ADMIN_PASSWORD")
    connection = accounts()
    with connection:
        if email and password and connection.execute("select count(*) from auth").fetchone()[0] == 0:
            connection.execute("insert into auth values ('1', ?, ?, 1)", (email, hashed(password)))


def told():
    seen = {name: value for name, value in os.environ.items() if name.startswith(TOLD)}
    return {
        "environment": seen,
        "standin": "This is no Open WebUI. It stands in for one in tests.",
        "key": hashlib.sha256(KEY.encode()).hexdigest()[:12] if KEY else None,
        "password": "WEBUI_ADMIN_PASSWORD" in os.environ,
        "umask": oct(os.umask(0o022)),
    }


def models():
    names = []
    for url in os.environ["OPENAI_API_BASE_URLS"].split(";"):
        with urllib.request.urlopen(f"{url}/models", timeout=5) as answer:
            names.extend(model["id"] for model in json.load(answer)["data"])
    return names


def login(query):
    password = dict(parse_qsl(query)).get("password", "")
    rows = accounts().execute("select password from auth").fetchall()
    return any(row[0] == hashed(password) for row in rows)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        pages = {"/health": lambda: {"status": True}, "/told": told, "/models": models, "/login": lambda: login(url.query)}
        page = pages.get(url.path)
        body = json.dumps(page() if page else {"detail": "Not Found"}).encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
if not KEY:
    sys.exit("WEBUI_SECRET_KEY is not set")
first_start()
ThreadingHTTPServer((os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8080"))), Handler).serve_forever()
