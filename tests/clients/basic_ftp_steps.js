// Does the steps of a job (see tests/tests/clients/script.rs) with basic-ftp.
"use strict"
const fs = require("node:fs")

let ftp
try {
    ftp = require("basic-ftp")
} catch {
    console.error("basic-ftp is missing: ./tests/run test installs it")
    process.exit(1)
}

const job = JSON.parse(fs.readFileSync(process.argv[2]))

function does(client) {
    return {
        mkdir: path => client.send(`MKD ${path}`),
        upload: (from, to) => client.uploadFrom(from, to),
        list: async path => {
            const found = await client.list(path)
            process.stdout.write(JSON.stringify(found.filter(entry => entry.isFile).map(entry => entry.name)))
        },
        download: (from, to) => client.downloadTo(to, from),
        rename: (from, to) => client.rename(from, to),
        delete: path => client.remove(path),
        rmdir: path => client.removeEmptyDir(path),
    }
}

async function main() {
    const client = new ftp.Client(20000)
    client.ftp.log = line => console.error(line)
    client.prepareTransfer = job.mode === "pasv" ? ftp.enterPassiveModeIPv4 : ftp.enterPassiveModeIPv6
    const version = `TLSv${job.version}`
    await client.access({
        host: job.host,
        port: job.port,
        user: job.user,
        password: job.password,
        secure: job.version !== null,
        secureOptions: { ca: fs.readFileSync(job.certificate), minVersion: version, maxVersion: version },
    })
    const steps = does(client)
    try {
        for (const [name, ...parameters] of job.steps) {
            await steps[name](...parameters)
        }
    } finally {
        client.close()
    }
}

main().catch(error => {
    console.error(error)
    process.exitCode = 1
})
