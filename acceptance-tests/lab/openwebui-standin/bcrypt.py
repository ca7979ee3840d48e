"""Stands in for the package of this name; the hash is no bcrypt."""
import hashlib


def gensalt():
    return b"salt"


def hashpw(password, salt):
    return b"standin:" + hashlib.sha256(salt + password).hexdigest().encode()
