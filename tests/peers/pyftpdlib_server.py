"""pyftpdlib as a server: DIRECTORY PORT USER PASSWORD. TLS is required, as it is by ours."""
import os
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.filesystems import AbstractedFS, FilesystemError
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer


class UnreplacingFS(AbstractedFS):
    def rename(self, source, target):
        if os.path.lexists(target):
            raise FilesystemError("There is such a file already.")
        super().rename(source, target)


directory, port, user, password = sys.argv[1:]
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, directory + "/files", perm="elradfmwMT")
handler = TLS_FTPHandler
handler.authorizer = authorizer
handler.certfile = directory + "/cert.pem"
handler.keyfile = directory + "/key.pem"
handler.tls_control_required = True
handler.tls_data_required = True
if "RENAMES_TO_FREE_NAMES" in os.environ:
    handler.abstracted_fs = UnreplacingFS
ThreadedFTPServer(("127.0.0.1", int(port)), handler).serve_forever()
