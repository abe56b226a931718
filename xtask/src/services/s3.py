"""An S3-speaking server for tests: moto's, on a free port, with the one bucket that they use.

Says where it is in the file `ready` of the current folder, a NAME=VALUE a line.
"""

import os
import signal
import urllib.request

from moto.server import ThreadedMotoServer

BUCKET = "tertulia"

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"
urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")).close()

with open("ready.part", "w") as ready:
    ready.write(f"TEST_S3_ENDPOINT={endpoint}\n")
os.rename("ready.part", "ready")
signal.pause()
