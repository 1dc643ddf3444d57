// Healthy is: writable. The first time it is asked, it makes the set of one member.
const fs = require('fs');
db.getSiblingDB('admin').auth('root', fs.readFileSync('/data/configdb/root.password', 'utf8'));
try {
  rs.status();
} catch (notYet) {
  rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'mongo:27017' }] });
}
quit(db.hello().isWritablePrimary ? 0 : 1);
