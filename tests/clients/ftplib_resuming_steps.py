#!/usr/bin/env python3
"""The same as ftplib_steps.py, with data connections that resume the control connection's TLS session."""
import ftplib

import ftplib_steps


class FTP_TLS(ftplib.FTP_TLS):
    """Data connections that resume the control connection's TLS session."""
    def ntransfercmd(self, cmd, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            connection = self.context.wrap_socket(
                connection, server_hostname=self.host, session=self.sock.session)
        return connection, size


ftplib_steps.main(FTP_TLS)
