import { expect, test } from 'vitest';
import { exampleSession, type Session } from '#ocpi';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { migrations } from '../src/migrations.ts';
import { storeOwnSession } from '../src/session-rows.ts';

test('what a former release took of a partner\'s Sessions, and is no text, does not keep an upgrade from its end', async () => {
  const { url, drop } = await freshDatabase();
  const schema = 'sessions';
  const before = await openDatabase({ url, schema, migrations: migrations.slice(0, migrations.findIndex(({ name }) => name === 'sessions-unfit-text')) });
  const names = [String.raw`a\u0000b`, String.raw`\ud83d`, String.raw`\ude00\ud83d!`, String.raw`\ud83d\ude00`, String.raw`\u00e9`, String.raw`\\u0000`];
  for (const [n, name] of names.entries()) {
    const text = JSON.stringify({ ...exampleSession, id: `S${n}`, note: 'NAME' }).replace('NAME', name);
    await before.query(
      `INSERT INTO partner_sessions (party, session_id, token_party, token_uid, started_at, last_updated, session)
       VALUES ('ca*mtl', $1, 'ca*cpk', 't', now(), now(), $2)`, [`s${n}`, text]);
  }
  await before.close();
  const upgraded = await openDatabase({ url, schema, migrations });
  const { rows } = await upgraded.query<{ note: string; place: string }>(
    `SELECT session::json ->> 'note' AS note, place FROM partner_sessions ORDER BY session_id`);
  expect(rows.map(({ note }) => note)).toEqual(['a\ufffdb', '\ufffd', '\ufffd\ufffd!', '\ud83d\ude00', 'é', String.raw`\ufffd`]);
  expect(new Set(rows.map(({ place }) => place))).toEqual(new Set([exampleSession.location_id.toLowerCase()]));
  await upgraded.close();
  await drop();
});

test('a former release beside a new one writes no Session of ours that the lists of one own party would not have, and none as if it ran', async () => {
  const { url, drop } = await freshDatabase();
  const db = await openDatabase({ url, schema: 'sessions', migrations });
  const formerly = (session: Session) => db.query(
    `INSERT INTO own_sessions (session_id, token_party, token_uid, started_at, last_updated, session) VALUES ($1, 'ca*cpk', 't', $2, $2, $3)
     ON CONFLICT (session_id) DO UPDATE SET last_updated = excluded.last_updated, session = excluded.session`,
    [session.id.toLowerCase(), session.last_updated, JSON.stringify(session)]);
  const runs = { ...exampleSession, status: 'ACTIVE' } as const;
  await storeOwnSession(db, runs, JSON.stringify(runs));
  await expect(formerly({ ...runs, id: 'OTHER' })).rejects.toThrow('operator');
  await expect(formerly({ ...runs, status: 'COMPLETED' })).rejects.toThrow('operator');
  await db.close();
  await drop();
});
