// Runs once, on an empty database: who may log in to it. The roles of the two services are empty
// still; the service `migrate` fills them, at each start.
const fs = require('fs');
const database = db.getSiblingDB('wharfinger');
const password = (name) => fs.readFileSync(`/data/configdb/${name}.password`, 'utf8');

for (const role of ['wharfinger-server', 'wharfinger-admin']) {
  database.createRole({ role, privileges: [], roles: [] });
}
database.createUser({ user: 'migrate', pwd: password('migrate'), roles: ['dbOwner'] });
database.createUser({ user: 'server', pwd: password('server'), roles: ['wharfinger-server'] });
database.createUser({ user: 'admin-api', pwd: password('admin-api'), roles: ['wharfinger-admin'] });
