#!/usr/bin/env python3
"""Makes the settings of a FileZilla 3 that has a queue of transfers (tests/tests/clients/filezilla.rs).

    filezilla_home.py JOB

JOB is a file with the members of a job (script.rs) and with "home", where the settings go, and
"log", the file it shall log to. The tables are those that FileZilla 3.63 makes for itself.
"""
import json
import os
import sqlite3
import ssl
import sys
import xml.etree.ElementTree as xml

# CServer's numbers for the protocols.
OVER_TLS, IN_CLEAR = 4, 6
LOGIN_WITH_PASSWORD = 1
DOWNLOAD, UPLOAD = 16, 0
NORMAL_PRIORITY = 2
NEVER = 1 << 32

SCHEMA = """
CREATE TABLE servers (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, host TEXT NOT NULL, port INTEGER,
    user TEXT, password TEXT, account TEXT, keyfile TEXT, protocol INTEGER, type INTEGER,
    logontype INTEGER, timezone_offset INTEGER, transfer_mode TEXT, max_connections INTEGER,
    encoding TEXT, bypass_proxy INTEGER, post_login_commands TEXT, name TEXT, parameters TEXT,
    site_path TEXT DEFAULT NULL);
CREATE TABLE files (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, server INTEGER NOT NULL,
    source_file TEXT, target_file TEXT, local_path INTEGER, remote_path INTEGER, size INTEGER,
    error_count INTEGER, priority INTEGER, flags INTEGER, default_exists_action INTEGER, extra_flags TEXT);
CREATE INDEX server_index ON files (server);
CREATE TABLE local_paths (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, path TEXT NOT NULL);
CREATE TABLE remote_paths (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, path TEXT NOT NULL);
PRAGMA user_version = 7;
"""


def write(path, *parts):
    root = xml.Element("FileZilla3", version="3.63.0", platform="*nix")
    root.extend(parts)
    xml.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)


def settings(log, mode):
    """Logs to a file, shows no welcome and no other dialog, keeps passwords as they are."""
    values = {
        "Logging file": log,
        "Greeting version": "3.63.0",
        "Prompt password save": "0",
        "Use Pasv mode": "1" if mode in ("pasv", "epsv") else "0",
        "Allow transfermode fallback": "0",
        "Reconnect count": "0",
    }
    found = xml.Element("Settings")
    for name, value in values.items():
        xml.SubElement(found, "Setting", name=name).text = value
    return found


def trust(job):
    """Trusts the server's certificate at its address, or that there is none."""
    certificates, hosts = xml.Element("TrustedCerts"), xml.Element("InsecureHosts")
    if job["version"] is None:
        xml.SubElement(hosts, "Host", Port=str(job["port"])).text = job["host"]
        return certificates, hosts
    with open(job["certificate"]) as file:
        data = ssl.PEM_cert_to_DER_cert(file.read()).hex()
    entry = xml.SubElement(certificates, "Certificate")
    members = {
        "Data": data,
        "ActivationTime": 1,
        "ExpirationTime": NEVER,
        "Host": job["host"],
        "Port": job["port"],
        "TrustSANs": 0,
    }
    for name, value in members.items():
        xml.SubElement(entry, name).text = str(value)
    return certificates, hosts


def remote_path(path):
    """An absolute path as FileZilla keeps it: Unix (1), no prefix (0), each part after its length."""
    return " ".join(["1 0"] + [f"{len(part)} {part}" for part in path.split("/")])


def queue(path, job):
    db = sqlite3.connect(path)
    db.executescript(SCHEMA)
    db.execute(
        "INSERT INTO servers (id, host, port, user, password, protocol, type, logontype, timezone_offset,"
        " transfer_mode, max_connections, encoding, bypass_proxy, name)"
        " VALUES (1, ?, ?, ?, ?, ?, 0, ?, 0, '', 0, 'Auto', 0, '')",
        (job["host"], job["port"], job["user"], job["password"],
         IN_CLEAR if job["version"] is None else OVER_TLS, LOGIN_WITH_PASSWORD))
    for name, source, target in job["steps"]:
        local, remote = (source, target) if name == "upload" else (target, source)
        size = os.path.getsize(local) if name == "upload" else -1
        local_id = db.execute(
            "INSERT INTO local_paths (path) VALUES (?)", (os.path.dirname(local) + "/",)).lastrowid
        remote_id = db.execute(
            "INSERT INTO remote_paths (path) VALUES (?)", (remote_path(os.path.dirname(remote)),)).lastrowid
        db.execute(
            "INSERT INTO files (server, source_file, local_path, remote_path, size, error_count, priority,"
            " flags, default_exists_action) VALUES (1, ?, ?, ?, ?, 0, ?, ?, 0)",
            (os.path.basename(source), local_id, remote_id, size, NORMAL_PRIORITY,
             UPLOAD if name == "upload" else DOWNLOAD))
    db.commit()
    db.close()


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    home = os.path.join(job["home"], ".config", "filezilla")
    os.makedirs(home)
    write(os.path.join(home, "filezilla.xml"), settings(job["log"], job["mode"]))
    write(os.path.join(home, "trustedcerts.xml"), *trust(job))
    queue(os.path.join(home, "queue.sqlite3"), job)


main()
