#!/usr/bin/env python3
"""Asks a served model one question over the OpenAI API and prints the answer. usage: chat.py ENDPOINT MODEL TEXT"""

import json
import sys
import urllib.request

endpoint, model, text = sys.argv[1:]
question = {"model": model, "max_tokens": 16, "messages": [{"role": "user", "content": text}]}
request = urllib.request.Request(
    endpoint.rstrip("/") + "/v1/chat/completions",
    data=json.dumps(question).encode(),
    headers={"content-type": "application/json"},
)
print(f"POST {request.full_url}\n{json.dumps(question)}")
with urllib.request.urlopen(request, timeout=60) as response:
    answer = json.load(response)
print(f"{response.status} {json.dumps(answer)}")
