"""pyftpdlib on one directory, for the comparison: a forked worker a core.

    pyftpdlib_server.py PORT DIRECTORY      with CERTIFICATE and KEY in the environment
"""

import logging
import os
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
Handler.passive_ports = range(32000, 34000)
Handler.timeout = 3600
Handler.use_sendfile = True

server = FTPServer(("127.0.0.1", port), Handler, backlog=1024)
server.max_cons = 20000
server.max_cons_per_ip = 0
server.serve_forever(worker_processes=os.cpu_count())
