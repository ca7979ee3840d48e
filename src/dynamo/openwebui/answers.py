# Fails until the page answers.
import http.client
import os
import sys

connection = http.client.HTTPConnection(os.environ["HOST"], int(os.environ["PORT"]), timeout=5)
connection.request("GET", "/health")
sys.exit(connection.getresponse().status != 200)
