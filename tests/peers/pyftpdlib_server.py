"""pyftpdlib as a server: DIRECTORY PORT USER PASSWORD. TLS is required, as it is by ours."""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

directory, port, user, password = sys.argv[1:]
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, directory + "/files", perm="elradfmwMT")
handler = TLS_FTPHandler
handler.authorizer = authorizer
handler.certfile = directory + "/cert.pem"
handler.keyfile = directory + "/key.pem"
handler.tls_control_required = True
handler.tls_data_required = True
ThreadedFTPServer(("127.0.0.1", int(port)), handler).serve_forever()
