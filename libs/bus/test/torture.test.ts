import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { outbox, startRelay } from '#bus';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { faults, heardRows, seededValues } from './heard.ts';
import { eventually, freshPlace, type Place, tellAll } from './place.ts';

const FACTS = 3_000;
const KEYS = 60;
const LEASE_MS = 900;
/** As it was compiled: from its source it starts much later. */
const REPLICA = join(import.meta.dirname, '../../../dist/libs/bus/test/replica.js');

let place: Place;
let children: ChildProcess[];
beforeEach(async () => {
  place = await freshPlace();
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await place.close();
});

async function replica(name: string): Promise<ChildProcess> {
  const { natsUrl, platform, databaseUrl } = place;
  const given = JSON.stringify({ name, natsUrl, platform, databaseUrl, leaseMs: LEASE_MS });
  const child = spawn(process.execPath, [REPLICA, given], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

test('with a replica killed, one stopped past its lease, and two relays racing, 3,000 facts are handled once and in order', async () => {
  const seed = Number(process.env['SEED']);
  console.log(`seed ${seed}`);
  const counts = new Map<string, number>();
  const values = seededValues(seed, FACTS, KEYS, counts);
  const teller = await place.open('sessions');
  const box = outbox('sessions', teller);
  const relays = [
    startRelay(await place.join('sessions'), box),
    startRelay(await place.join('sessions'), outbox('sessions', teller)),
  ];
  const db = await place.open('cdr_ledger');
  const handled = async () =>
    Number((await db.query<{ n: bigint }>('SELECT count(*) AS n FROM heard')).rows[0]?.n);
  const [killed, stopped] = await Promise.all([replica('killed'), replica('stopped')]);

  const telling = (async () => {
    for (let told = 0; told < FACTS; told += 60) {
      await tellAll(teller, box, values.slice(told, told + 60));
      await sleep(10);
    }
  })();
  await eventually(handled, (n) => n > FACTS / 6);
  killed.kill('SIGKILL');
  await eventually(handled, (n) => n > FACTS / 3);
  stopped.kill('SIGSTOP');
  const [third] = await Promise.all([replica('third'), sleep(2 * LEASE_MS)]);
  stopped.kill('SIGCONT');
  await telling;
  const rows = await eventually(
    () => heardRows(db),
    (seen) => seen.length >= FACTS,
  );
  await sleep(300); // For doubles that would still come.

  expect(faults(await heardRows(db), counts), `seed ${seed}`).toEqual([]);
  expect(new Set(rows.map((row) => row.replica))).toEqual(new Set(['killed', 'stopped', 'third']));
  third.kill('SIGTERM');
  await once(third, 'exit');
  await Promise.all(relays.map((relay) => relay.close()));
});
