#!/usr/bin/env python3
"""What ftplib does beyond the steps of a job (see tests/tests/clients/script.rs), each answer checked."""
import ftplib
import io
import os

import ftplib_steps


def refused(code, call, *arguments):
    try:
        call(*arguments)
    except ftplib.Error as error:
        assert str(error).startswith(code), error
    else:
        raise AssertionError(f"{arguments} was not refused")


def directories(ftp):
    assert ftp.mkd("made") == "/made"
    ftp.cwd("made")
    assert ftp.pwd() == "/made"


def transfers(ftp):
    content = os.urandom(300_000)
    ftp.storbinary("STOR one", io.BytesIO(content))
    assert ftp.size("one") == len(content)
    assert ftp.sendcmd("MDTM one").startswith("213 20")
    rest = io.BytesIO()
    ftp.retrbinary("RETR one", rest.write, rest=200_000)
    assert rest.getvalue() == content[200_000:]
    lines = []
    ftp.storlines("STOR text", io.BytesIO(b"first\nsecond\n"))
    ftp.retrlines("RETR text", lines.append)
    assert lines == ["first", "second"], lines


def listings(ftp):
    assert sorted(ftp.nlst()) == ["one", "text"]
    lines = []
    ftp.dir(lines.append)
    assert len(lines) == 2 and all(line.startswith("-rw") for line in lines), lines
    facts = dict(ftp.mlsd())
    assert facts["one"]["type"] == "file" and facts["one"]["size"] == "300000", facts


def abort(ftp):
    ftp.voidcmd("TYPE I")
    connection = ftp.transfercmd("RETR one")
    connection.recv(1)
    # 426 for the transfer, or 226 when all of it was under way already; then ABOR's own reply.
    assert ftp.abort()[:3] in ("426", "226")
    assert ftp.voidresp()[:3] in ("225", "226")
    connection.close()
    assert ftp.voidcmd("NOOP").startswith("200")


def clean_up(ftp):
    assert ftp.rename("one", "two").startswith("250")
    refused("550", ftp.size, "one")
    ftp.delete("two")
    ftp.delete("text")
    ftp.cwd("..")
    ftp.rmd("made")
    refused("550", ftp.cwd, "made")
    assert ftp.quit().startswith("221")


def main():
    ftp = ftplib_steps.connect(ftplib.FTP_TLS)
    for step in (directories, transfers, listings, abort, clean_up):
        step(ftp)


main()
