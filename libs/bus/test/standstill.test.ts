import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Bus, connectBus } from '#bus';
import { log } from '#telemetry';
import { freshPlatform, natsUrl } from '#test-servers';
import { afterEach, expect, test } from 'vitest';
import { echo } from './contracts.ts';

let asker: Bus | undefined;
let sleeper: ChildProcess | undefined;
let answerer: Bus | undefined;
afterEach(async () => {
  sleeper?.kill('SIGKILL');
  await Promise.all([answerer?.close(), asker?.close()]);
});

test('what a process that slept finds when it wakes is not carried out for whoever has given up, and answered to whoever waits', async () => {
  const given = { natsUrl: natsUrl(), platform: freshPlatform() };
  const program = new URL('sleeper.ts', import.meta.url).pathname;
  sleeper = spawn(process.execPath, [program, JSON.stringify(given)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(sleeper.stdout!, 'data');
  asker = await connectBus({ ...given, service: 'portal' });
  const tell = async (value: string, timeoutMs = 60_000) => (await asker!.ask(echo, { value }, { timeoutMs })).value;
  expect(await tell('before')).toBe('before');
  sleeper.kill('SIGSTOP');
  const patient = tell('patient');
  await expect(tell('start', 1_500)).rejects.toMatchObject({ reason: 'unknown' });
  // As an operator does who saw nothing happen.
  const again = tell('start-again');
  sleeper.kill('SIGCONT');
  expect((await patient).split(' ')).toEqual(expect.arrayContaining(['before', 'patient']));
  await again;
  expect((await tell('what?')).split(' ').toSorted()).toEqual(['before', 'patient', 'start-again']);
}, 120_000);

test('what waited in a service with too much to do for longer than its asker did is not carried out', async () => {
  const given = { natsUrl: natsUrl(), platform: freshPlatform() };
  answerer = await connectBus({ ...given, service: 'sessions', log: log('test', { level: 'silent' }) });
  const began: string[] = [];
  let goOn = () => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  await answerer.answer(echo, async (requests) => {
    began.push(...requests.map(({ value }) => value));
    await held;
    return requests.map(({ value }) => ({ value }));
  });
  asker = await connectBus({ ...given, service: 'portal' });
  const tell = (value: string, timeoutMs = 60_000) => asker!.ask(echo, { value }, { timeoutMs });
  const first: Promise<unknown>[] = [];
  // As many messages as are worked on at a time.
  for (let n = 1; n <= 32; n += 1) {
    first.push(tell(`first-${n}`));
    await expect.poll(() => began.length, { interval: 5 }).toBe(n);
  }
  const patient = tell('patient');
  await expect(tell('start', 300)).rejects.toMatchObject({ reason: 'unknown' });
  // It came to the queue later than it was asked, by as long as it was on the way.
  await expect(tell('behind', 3_000)).rejects.toMatchObject({ reason: 'unknown' });
  goOn();
  await Promise.all([...first, patient]);
  expect(began.slice(32)).toContain('patient');
  expect(began).not.toContain('start');
}, 120_000);
