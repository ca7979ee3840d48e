#!/usr/bin/env python3
"""Logs in to an Open WebUI and chats: through its API, and, where a picture is wanted, with a browser as people do.

usage: openwebui-chat.py URL EMAIL PASSWORD MODEL [PICTURE.png]
The browser is Debian's chromium with chromium-driver. Exit code 0: MODEL is offered and has answered.
"""
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

CHROMIUM_FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars --window-size=1280,800""".split()
DRIVER_PORT = 9515
PATIENCE = 120  # seconds that a page may take on a busy machine
ENTER = "\ue007"


def call(method, url, body=None, token=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def wait_for(what, ask):
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        found = ask()
        if found:
            return found
        time.sleep(0.3)
    sys.exit(f"this did not happen: {what}")


def by_api(url, email, password, model):
    token = call("POST", f"{url}/api/v1/auths/signin", {"email": email, "password": password})["token"]
    offered = [entry["id"] for entry in call("GET", f"{url}/api/models", token=token)["data"]]
    if model not in offered:
        sys.exit(f"{model} is not offered, but {offered}")
    question = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 8, "stream": False}
    answer = call("POST", f"{url}/api/chat/completions", question, token)["choices"][0]["message"]["content"]
    if not answer.strip():
        sys.exit("the answer is empty")
    print(f"API: {offered} offered, {model} answered {answer[:60]!r}")


class Browser:
    """The few words of the WebDriver protocol that are needed."""

    def __init__(self, profile):
        self.driver = subprocess.Popen(
            [shutil.which("chromedriver") or sys.exit("chromedriver is not there: install chromium and chromium-driver"),
             f"--port={DRIVER_PORT}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        base = f"http://127.0.0.1:{DRIVER_PORT}"
        wait_for("chromedriver answers", lambda: self.is_ready(base))
        options = {"binary": "/usr/bin/chromium", "args": [*CHROMIUM_FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        self.session = f"{base}/session/{call('POST', f'{base}/session', wanted)['value']['sessionId']}"

    @staticmethod
    def is_ready(base):
        try:
            return call("GET", f"{base}/status")["value"]["ready"]
        except (urllib.error.URLError, ConnectionError):
            return False

    def go(self, url):
        call("POST", f"{self.session}/url", {"url": url})

    def run(self, script, *arguments):
        return call("POST", f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})["value"]

    def find(self, selector):
        """Waits for the element."""
        def ask():
            try:
                return call("POST", f"{self.session}/element", {"using": "css selector", "value": selector})["value"]
            except urllib.error.HTTPError:
                return None
        return next(iter(wait_for(f"{selector} is on the page", ask).values()))

    def type(self, selector, text):
        call("POST", f"{self.session}/element/{self.find(selector)}/value", {"text": text})

    def picture(self, file):
        with open(file, "wb") as opened:
            opened.write(base64.b64decode(call("GET", f"{self.session}/screenshot")["value"]))

    def close(self):
        try:
            call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()


def by_browser(url, email, password, model, file):
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        browser = Browser(profile)
        try:
            browser.go(url)
            browser.type("input[type=email]", email)
            browser.type("input[type=password]", password + ENTER)
            browser.find("#chat-input")
            offered = lambda: browser.run("return document.body.innerText.includes(arguments[0])", model)
            wait_for(f"{model} is on the page", offered)
            # What is new in the release is told once, in a dialogue before everything else.
            time.sleep(3)
            browser.run("document.querySelectorAll('[role=dialog] button, .modal button').forEach(b => "
                        "{ if (/go!|okay|close/i.test(b.innerText + b.ariaLabel)) b.click() })")
            time.sleep(1)
            browser.type("#chat-input", "What are you running on?" + ENTER)
            last = "const all = document.querySelectorAll('.chat-assistant'); return all.length ? all[all.length - 1].innerText : ''"
            answer = wait_for("the model answers", lambda: browser.run(last).strip())
            # An answer comes word by word.
            while browser.run(last).strip() != answer or not answer:
                answer = browser.run(last).strip()
                time.sleep(2)
            browser.picture(file)
            if browser.run("return document.querySelector('[data-sonner-toast][data-type=error]') !== null"):
                sys.exit(f"the page shows an error: see {file}")
            print(f"browser: the answer begins {answer[:60]!r}; the page is in {file}")
        except SystemExit:
            browser.picture(file)
            raise
        finally:
            browser.close()


def main():
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    url, email, password, model = sys.argv[1:5]
    by_api(url.rstrip("/"), email, password, model)
    if len(sys.argv) == 6:
        by_browser(url, email, password, model, sys.argv[5])


main()
