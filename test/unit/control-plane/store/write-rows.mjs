// Writes rows into the file from a second process, with locks met and waited for as SQLite does it.
import Libsql from 'libsql';

const [file, rows] = process.argv.slice(2);
const db = new Libsql(file, { timeout: 10_000 });
process.once('message', () => {
  for (let n = 0; n < Number(rows); n++) db.prepare('INSERT INTO t (v) VALUES (?)').run(`theirs ${n}`);
  db.close();
  process.disconnect();
});
process.send('ready');
