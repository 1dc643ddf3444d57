"""pyftpdlib on one directory, for the comparison: a forked worker a core, eight at the most.

    pyftpdlib_server.py PORT DIRECTORY      with CERTIFICATE and KEY in the environment
"""

import logging
import os
import socket
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

port, directory = int(sys.argv[1]), sys.argv[2]
logging.disable(logging.CRITICAL)

authorizer = DummyAuthorizer()
authorizer.add_user("bench", "a password to be measured", directory, perm="elradfmwMT")


class Handler(TLS_FTPHandler):
    pass


Handler.authorizer = authorizer
Handler.certfile = os.environ["CERTIFICATE"]
Handler.keyfile = os.environ["KEY"]
Handler.timeout = 3600
Handler.use_sendfile = True

# Forked here and not by `worker_processes`, whose workers inherit one epoll instance, hear of each
# other's sockets, and close sessions that are not theirs.
listener = socket.create_server(("127.0.0.1", port), backlog=1024)
worker = 0
while worker < min(os.cpu_count(), 8) - 1 and os.fork() != 0:
    worker += 1
# Of two that bind the same passive port (SO_REUSEADDR lets them), the second to listen loses its session.
Handler.passive_ports = range(20000 + 1500 * worker, 21500 + 1500 * worker)
server = FTPServer(listener, Handler, backlog=1024)
server.max_cons = 20000
server.max_cons_per_ip = 0
server.serve_forever()
