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

test('with a replica killed, one stopped past its lease, and two relays racing, 3,000 facts and more are handled once and in order', async () => {
  const seed = Number(process.env['SEED']);
  console.log(`seed ${seed}`);
  const counts = new Map<string, number>();
  const teller = await place.open('sessions');
  const box = outbox('sessions', teller);
  const relays = [
    startRelay(await place.join('sessions'), box),
    startRelay(await place.join('sessions'), outbox('sessions', teller)),
  ];
  const db = await place.open('cdr_ledger');
  const handledBy = async (...names: string[]) =>
    Number((await db.query<{ n: bigint }>('SELECT count(*) AS n FROM heard WHERE replica = ANY($1)', [names])).rows[0]?.n);
  const handled = () => handledBy('killed', 'stopped', 'third');
  const some = (n: number) => n > 0;
  const [killed, stopped] = await Promise.all([replica('killed'), replica('stopped')]);

  // Until each of the three had its share: on a busy machine one may come to it late.
  let told = 0;
  let allHadSome = false;
  const telling = (async () => {
    for (; told < FACTS || !allHadSome; told += 60) {
      if (told >= FACTS) await eventually(handled, (n) => n > told - 300);
      await tellAll(teller, box, seededValues(seed + told, 60, KEYS, counts));
      await sleep(10);
    }
  })();
  try {
    await eventually(handled, (n) => n > FACTS / 6);
    await eventually(() => handledBy('killed'), some);
    killed.kill('SIGKILL');
    await eventually(handled, (n) => n > FACTS / 3);
    await eventually(() => handledBy('stopped'), some);
    stopped.kill('SIGSTOP');
    const [third] = await Promise.all([replica('third'), sleep(2 * LEASE_MS)]);
    await eventually(() => handledBy('third'), some);
    stopped.kill('SIGCONT');
    allHadSome = true;
    await telling;
    await eventually(handled, (n) => n >= told);
    await sleep(300); // For doubles that would still come.
    expect(faults(await heardRows(db), counts), `seed ${seed}`).toEqual([]);
    third.kill('SIGTERM');
    await once(third, 'exit');
  } finally {
    allHadSome = true;
    await telling;
  }
  await Promise.all(relays.map((relay) => relay.close()));
});
