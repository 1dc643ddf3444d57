#!/usr/bin/env python3
"""Does the steps of a job (see tests/tests/clients/script.rs) with Python's ftplib."""
import ftplib
import json
import ssl
import sys

job = json.load(open(sys.argv[1]))


def connect(secure_client):
    if job["version"]:
        context = ssl.create_default_context(cafile=job["certificate"])
        versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
        context.minimum_version = context.maximum_version = versions[job["version"]]
        ftp = said_aloud(secure_client)(context=context, timeout=20)
    else:
        ftp = said_aloud(ftplib.FTP)(timeout=20)
    ftp.connect(job["host"], job["port"])
    ftp.login(job["user"], job["password"])
    if job["version"]:
        ftp.prot_p()
    ftp.set_pasv(job["mode"] in ("pasv", "epsv"))
    return ftp


def run(ftp, name, *arguments):
    if name == "mkdir":
        ftp.mkd(*arguments)
    elif name == "upload":
        with open(arguments[0], "rb") as file:
            ftp.storbinary(f"STOR {arguments[1]}", file)
    elif name == "list":
        print(json.dumps([entry for entry, facts in ftp.mlsd(*arguments) if facts["type"] == "file"]))
    elif name == "download":
        with open(arguments[1], "wb") as file:
            ftp.retrbinary(f"RETR {arguments[0]}", file.write)
    elif name == "rename":
        ftp.rename(*arguments)
    elif name == "delete":
        ftp.delete(*arguments)
    elif name == "rmdir":
        ftp.rmd(*arguments)


def said_aloud(client):
    """The class, saying each command on standard error."""

    class Speaking(client):
        def putcmd(self, line):
            print(line if not line.startswith("PASS") else "PASS", file=sys.stderr)
            super().putcmd(line)

    return Speaking


def main(secure_client=ftplib.FTP_TLS):
    ftp = connect(secure_client)
    for step in job["steps"]:
        run(ftp, *step)
    ftp.quit()


if __name__ == "__main__":
    main()
