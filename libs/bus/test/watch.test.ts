import { outbox, startRelay } from '#bus';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counted, weighed } from './contracts.ts';
import { freshPlace, type Place, tellAll } from './place.ts';

let place: Place;
beforeEach(async () => {
  place = await freshPlace();
});
afterEach(() => place.close());

test('who watches sees what is told from then on, of that kind alone, until it stops', async () => {
  const [teller, watcher, db] = await Promise.all([
    place.join('sessions'),
    place.join('portal'),
    place.open('sessions'),
  ]);
  const box = outbox('sessions', db);
  const relay = startRelay(teller, box);
  const seen: string[] = [];
  const others: unknown[] = [];
  const watching = await watcher.watch(counted, ({ value }) => seen.push(value));
  await watcher.watch(weighed, (fact) => others.push(fact));
  await tellAll(db, box, ['one:1', 'two:1', 'one:2']);
  await expect.poll(() => seen).toEqual(['one:1', 'two:1', 'one:2']);
  watching.stop();
  const last = await new Promise<string>((resolve) => {
    void watcher
      .watch(counted, ({ value }) => resolve(value))
      .then(() => tellAll(db, box, ['one:3']));
  });
  expect([last, seen.length, others]).toEqual(['one:3', 3, []]);
  await relay.close();
});

test('a fact that its contract does not let through, or that the watcher fails on, ends nothing', async () => {
  const watcher = await place.join('portal');
  const seen: string[] = [];
  await watcher.watch(counted, ({ value }) => {
    seen.push(value);
    if (value === 'one:1') throw new Error('the screen is gone');
  });
  const say = (bytes: Uint8Array) =>
    watcher.connection.publish(`roamwatt.${place.platform}.sessions.7.number.counted.v1`, bytes);
  say(Buffer.from([0xff]));
  say(Buffer.from('\n\u0007no pair'));
  say(Buffer.from('\n\u0005one:1'));
  say(Buffer.from('\n\u0005one:2'));
  await expect.poll(() => seen).toEqual(['one:1', 'one:2']);
  expect(place.logged.filter((line) => line.includes('was not seen'))).toHaveLength(3);
});
