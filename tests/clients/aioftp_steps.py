#!/usr/bin/env python3
"""Does the steps of a job (see tests/tests/clients/script.rs) with aioftp."""
import asyncio
import json
import logging
import ssl
import sys

try:
    import aioftp
except ModuleNotFoundError:
    sys.exit("aioftp is missing: ./tests/run test installs it")

job = json.load(open(sys.argv[1]))


async def run(client, name, *arguments):
    if name == "mkdir":
        await client.make_directory(*arguments)
    elif name == "upload":
        await client.upload(*arguments, write_into=True)
    elif name == "list":
        found = await client.list(*arguments)
        print(json.dumps([path.name for path, facts in found if facts["type"] == "file"]))
    elif name == "download":
        await client.download(*arguments, write_into=True)
    elif name == "rename":
        await client.rename(*arguments)
    elif name == "delete":
        await client.remove_file(*arguments)
    elif name == "rmdir":
        await client.remove_directory(*arguments)


async def main():
    logging.basicConfig(format="%(message)s", level=logging.DEBUG)
    client = aioftp.Client(socket_timeout=20, passive_commands=(job["mode"],))
    await client.connect(job["host"], job["port"])
    if job["version"]:
        context = ssl.create_default_context(cafile=job["certificate"])
        versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
        context.minimum_version = context.maximum_version = versions[job["version"]]
        await client.upgrade_to_tls(context)
    await client.login(job["user"], job["password"])
    for step in job["steps"]:
        await run(client, *step)
    await client.quit()


asyncio.run(main())
