import { mkdtempSync, rmSync } from 'node:fs';
import { join as path } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { FieldMaskSchema, StringValueSchema } from '@bufbuild/protobuf/wkt';
import { type Bus, connectBus, Refused, TooLarge, Unanswered, WrittenAnswer } from '#bus';
import { Rejected } from '#decider';
import { DatabaseFailure } from '#postgres';
import { log, type Log } from '#telemetry';
import { startNats, stateRoot } from '#servers';
import { freshPlatform, natsUrl } from '#test-servers';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { askSubject } from '../src/subjects.ts';
import { readAnswerBatch, writeAnswerBatch, writeAskBatch } from '../src/wire.ts';
import { command, echo, grow, list, outside, weigh } from './contracts.ts';

let platform: string;
let buses: Bus[];
let logged: string[];

beforeEach(() => {
  platform = freshPlatform();
  buses = [];
  logged = [];
});
afterEach(() => Promise.all(buses.map((bus) => bus.close())));

async function join(service: string, url = natsUrl()): Promise<Bus> {
  const written: Log = log(service, { level: 'warn', write: (line) => logged.push(line) });
  const bus = await connectBus({ natsUrl: url, platform, service, log: written });
  buses.push(bus);
  return bus;
}

const echoed = (value: string) => ({ value: `${value}!` });

test('what is asked together travels as one message and is answered one by one', async () => {
  const batches: string[][] = [];
  await (
    await join('sessions')
  ).answer(echo, (requests) => {
    batches.push(requests.map((request) => request.value));
    return requests.map((request) => echoed(request.value));
  });
  const asker = await join('portal');
  const words = Array.from({ length: 100 }, (_, index) => `w${index}`);
  const answers = await Promise.all(words.map((value) => asker.ask(echo, { value })));
  expect(answers.map((answer) => answer.value)).toEqual(words.map((word) => `${word}!`));
  expect(batches.map((batch) => batch.length)).toEqual([64, 36]);
});

test('asks that wait for somebody outside travel alone: who is silent holds up nobody else', async () => {
  const silence = Promise.withResolvers<void>();
  await (await join('sessions')).answer(outside, (requests) => Promise.all(requests.map(async ({ value }) => {
    if (value.startsWith('silent')) await silence.promise;
    return echoed(value);
  })));
  const asker = await join('portal');
  const held = Array.from({ length: 100 }, (_, n) => asker.ask(outside, { value: `silent ${n}` }));
  expect(await asker.ask(outside, { value: 'here' })).toMatchObject({ value: 'here!' });
  silence.resolve();
  expect((await Promise.all(held)).at(-1)).toMatchObject({ value: 'silent 99!' });
});

test('replicas share the asks: each is handled once', async () => {
  const handled: string[] = [];
  for (const replica of ['one', 'two']) {
    await (
      await join('sessions')
    ).answer(echo, (requests) => {
      handled.push(...requests.map(() => replica));
      return requests.map((request) => echoed(request.value));
    });
  }
  const asker = await join('portal');
  for (let asked = 0; asked < 40; asked += 1) await asker.ask(echo, { value: 'x' });
  expect(handled).toHaveLength(40);
  expect(new Set(handled)).toEqual(new Set(['one', 'two']));
});

test('the command id of each item reaches its handler', async () => {
  let seen: readonly string[] = [];
  await (
    await join('sessions')
  ).answer(echo, (requests, asked) => {
    seen = asked.commandIds;
    return requests.map((request) => echoed(request.value));
  });
  const asker = await join('portal');
  await asker.askMany(echo, [{ value: 'a' }, { value: 'b' }], { commandIds: ['first'] });
  expect(seen).toEqual(['first', '']);
});

test("one item's refusal leaves the others answered", async () => {
  await (
    await join('sessions')
  ).answer(echo, (requests) =>
    requests.map(({ value }) =>
      value === 'no' ? new Rejected('not-this-one', 'it is no') : echoed(value),
    ),
  );
  const asker = await join('portal');
  const [yes, no] = await asker.askMany(echo, [{ value: 'yes' }, { value: 'no' }]);
  expect(yes).toMatchObject({ value: 'yes!' });
  expect(no).toEqual(new Refused('not-this-one', 'it is no'));
  expect(no).toMatchObject({ code: 'not-this-one', detail: 'it is no' });
});

test('a malformed request is refused by the field before the handler is called', async () => {
  let calls = 0;
  await (
    await join('sessions')
  ).answer(echo, (requests) => {
    calls += 1;
    return requests.map((request) => echoed(request.value));
  });
  const asker = await join('portal');
  await expect(asker.ask(echo, {})).rejects.toMatchObject({
    code: 'malformed',
    detail: 'value is empty',
  });
  await expect(
    asker.ask({ ...weigh, verb: 'echo' }, { value: new Uint8Array([0xff, 0xfe]) }),
  ).rejects.toMatchObject({
    code: 'malformed',
    detail: expect.stringContaining('not a google.protobuf.StringValue'),
  });
  expect(calls).toBe(0);
});

test('a bug is answered as internal, with the stack in the log and not on the wire', async () => {
  await (
    await join('sessions')
  ).answer(echo, () => {
    throw new Error('secret state of the handler');
  });
  const asker = await join('portal');
  await expect(asker.ask(echo, { value: 'x' })).rejects.toMatchObject({
    code: 'internal',
    detail: 'sessions.echo failed',
  });
  expect(logged.join('\n')).toContain('secret state of the handler');
});

test('a handler whose database cannot be reached says so: it is no bug, and where the database is stays in the log', async () => {
  await (
    await join('sessions')
  ).answer(echo, () => {
    throw new DatabaseFailure('no-connection', 'connect ECONNREFUSED 192.0.2.1:5432');
  });
  const asker = await join('portal');
  await expect(asker.ask(echo, { value: 'x' })).rejects.toMatchObject({
    code: 'unanswered',
    detail: 'sessions.echo: the database cannot be used now (no-connection)',
  });
  expect(logged.join('\n')).toContain('192.0.2.1:5432');
});

test('a thrown Rejected refuses the whole batch; too few outcomes are a bug', async () => {
  const service = await join('sessions');
  const answering = await service.answer(echo, () => {
    throw new Rejected('closed-today');
  });
  const asker = await join('portal');
  const both = await asker.askMany(echo, [{ value: 'a' }, { value: 'b' }]);
  expect(both).toMatchObject([{ code: 'closed-today' }, { code: 'closed-today' }]);
  await answering.stop();
  await service.answer(echo, () => []);
  await expect(asker.ask(echo, { value: 'a' })).rejects.toMatchObject({ code: 'internal' });
});

test('nobody there is offline at once; no answer in time is unknown', async () => {
  const asker = await join('portal');
  await expect(asker.ask(echo, { value: 'x' })).rejects.toEqual(
    new Unanswered('offline', `roamwatt.${platform}.sessions.ask.echo.v1`),
  );
  let answer = () => {};
  await (
    await join('sessions')
  ).answer(
    echo,
    (requests) =>
      new Promise((resolve) => {
        answer = () => resolve(requests.map((request) => echoed(request.value)));
      }),
  );
  await expect(asker.ask(echo, { value: 'x' }, { timeoutMs: 100 })).rejects.toMatchObject({
    reason: 'unknown',
  });
  answer();
});

test('a handler that waits for somebody offline says so', async () => {
  const service = await join('sessions');
  await service.answer(echo, async (requests) => {
    await service.ask(weigh, { value: new Uint8Array(1) });
    return requests.map((request) => echoed(request.value));
  });
  const asker = await join('portal');
  await expect(asker.ask(echo, { value: 'x' })).rejects.toMatchObject({ code: 'unanswered' });
});

test.each(['overloaded', 'too-late', 'unanswered'])('a handler whose own ask is refused as %s says that it may be asked again, and is no bug', async (code) => {
  const service = await join('sessions');
  await service.answer(weigh, () => {
    throw new Rejected(code);
  });
  await service.answer(echo, async (requests) => {
    await service.ask(weigh, { value: new Uint8Array(1) });
    return requests.map((request) => echoed(request.value));
  });
  const asker = await join('portal');
  await expect(asker.ask(echo, { value: 'x' })).rejects.toMatchObject({ code: 'unanswered' });
});

test('more than 900 kB is refused by name before it is sent, and as an answer', async () => {
  const service = await join('sessions');
  await service.answer(weigh, (requests) =>
    requests.map(({ value }) => ({ value: String(value.length) })),
  );
  await service.answer(grow, (requests) =>
    requests.map(({ value }) => ({ value: new Uint8Array(Number(value)) })),
  );
  const asker = await join('portal');
  await expect(asker.ask(weigh, { value: new Uint8Array(900_000) })).rejects.toEqual(
    new TooLarge('sessions.weigh', 900_004),
  );
  await expect(asker.ask(weigh, { value: new Uint8Array(899_000) })).resolves.toMatchObject({
    value: '899000',
  });
  await expect(asker.ask(grow, { value: '900000' })).rejects.toMatchObject({ code: 'too-large' });
});

test('answers of a batch that are together above a message arrive in several', async () => {
  await (
    await join('sessions')
  ).answer(grow, (requests) =>
    requests.map(({ value }) => ({ value: new Uint8Array(Number(value)) })),
  );
  const asker = await join('portal');
  const sizes = Array.from({ length: 12 }, (_, index) => 400_000 + index);
  const answers = await asker.askMany(
    grow,
    sizes.map((size) => ({ value: String(size) })),
  );
  expect(answers.map((answer) => (answer instanceof Error ? answer : answer.value.length))).toEqual(
    sizes,
  );
});

const listed = (...paths: string[]) => toBinary(FieldMaskSchema, create(FieldMaskSchema, { paths }));
const asked = (value: string) => ({ request: toBinary(StringValueSchema, create(StringValueSchema, { value })), commandId: '' });

test('an answer in parts arrives as one, among others that are whole', async () => {
  await (await join('sessions')).answer(list, (requests) => requests.map(({ value }) => {
    if (value === 'no') return new Rejected('not-this-one', 'it is no');
    return value === 'whole' ? { paths: ['whole'] } : new WrittenAnswer(value.split(' ').map((part) => listed(...part.split('+'))));
  }));
  const asker = await join('portal');
  const answers = await asker.askMany(list, ['whole', 'a+b c d', 'no', 'e', 'whole', 'f g'].map((value) => ({ value })));
  expect(answers.map((answer) => (answer instanceof Error ? answer.message : answer.paths))).toEqual([
    ['whole'], ['a', 'b', 'c', 'd'], 'not-this-one: it is no', ['e'], ['whole'], ['f', 'g'],
  ]);
});

test('who does not take parts is answered in one message', async () => {
  await (await join('sessions')).answer(list, (requests) => requests.map(() => new WrittenAnswer([listed('a'), listed('b', 'c')])));
  const { connection } = await join('portal');
  const answer = await connection.request(askSubject(platform, list), writeAskBatch({ items: [asked(''), asked('')], parts: false }), { timeout: 60_000 });
  const all = { answer: Buffer.from(listed('a', 'b', 'c')) };
  expect(readAnswerBatch(Buffer.from(answer.data))).toEqual({ first: 0, items: [all, all] });
});

test('parts that are together more than 900 kB are refused by name', async () => {
  const part = listed('x'.repeat(300_000));
  await (await join('sessions')).answer(list, (requests) => requests.map(() => new WrittenAnswer([part, part, part])));
  await expect((await join('portal')).ask(list, { value: '' })).rejects.toMatchObject({ code: 'too-large' });
});

test('an answer of which a part is lost, repeated or out of its order is unknown, and never a shorter one', async () => {
  const { connection } = await join('sessions');
  let order: readonly number[] = [];
  connection.subscribe(askSubject(platform, list), {
    callback: (_error, message) => {
      for (const part of order) {
        message.respond(writeAnswerBatch({ first: 0, items: [{ answer: listed(`${part}`), part, more: part < 2 }] }));
      }
    },
  });
  await connection.flush();
  const asker = await join('portal');
  const answer = async (...parts: number[]) => {
    order = parts;
    return asker.ask(list, { value: '' }, { timeoutMs: parts.includes(2) ? 5_000 : 100 })
      .then(({ paths }) => paths, ({ reason }: Unanswered) => reason);
  };
  for (const wrong of [[0, 2], [1, 2], [2], [0, 0, 1, 2], [0, 2, 1], [1, 0, 2], [0, 1]]) {
    expect(await answer(...wrong), `${wrong}`).toBe('unknown');
  }
  expect(await answer(0, 1, 2)).toEqual(['0', '1', '2']);
});

test("only the holder of an id hears its commands, also when the id is a wildcard's name", async () => {
  const gateway = await join('ocpp-gateway');
  const heard: string[] = [];
  const holdFor = (id: string) =>
    gateway.hold(command, id, (requests) =>
      requests.map(({ value }) => {
        heard.push(`${id} hears ${value}`);
        return echoed(value);
      }),
    );
  const ids = ['*', '>', 'CA*BCT', 'v1', 'a.b'];
  const [star] = await Promise.all(ids.map(holdFor));
  const asker = await join('portal');
  for (const id of ids) await asker.ask(command, { value: id });
  await expect(asker.ask(command, { value: 'CP-9' })).rejects.toMatchObject({ reason: 'offline' });
  expect(heard).toEqual(ids.map((id) => `${id} hears ${id}`));
  await star?.release();
  await expect(asker.ask(command, { value: '*' })).rejects.toMatchObject({ reason: 'offline' });
});

test('closing answers what is under way', async () => {
  const service = await join('sessions');
  const called = Promise.withResolvers<void>();
  await service.answer(echo, async (requests) => {
    called.resolve();
    await new Promise((resolve) => setTimeout(resolve, 50));
    return requests.map((request) => echoed(request.value));
  });
  const asker = await join('portal');
  const answer = asker.ask(echo, { value: 'x' });
  await called.promise;
  await service.close();
  await expect(answer).resolves.toMatchObject({ value: 'x!' });
});

test('without a server asks are held: answered when it is back in time, else offline; and one may leave', async () => {
  const dir = mkdtempSync(path(stateRoot(), 'bus-ask-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  let server = await startNats({ dir });
  onTestFinished(() => server.stop());
  const service = await join('sessions', server.url);
  await service.answer(echo, (requests) => requests.map(({ value }) => echoed(value)));
  const [asker, leaver] = await Promise.all([
    join('portal', server.url),
    join('locations', server.url),
  ]);
  await server.stop();
  await until(() => logged.filter((line) => line.includes('NATS is gone')).length === 3);
  const patient = asker.ask(echo, { value: 'x' }, { timeoutMs: 60_000 });
  await expect(asker.ask(echo, { value: 'x' }, { timeoutMs: 50 })).rejects.toMatchObject({
    reason: 'offline',
    isCutOff: true,
  });
  await leaver.close();
  // Each of them stays where it waits until the server is back: of no kind more than a thousand.
  const many = Array.from({ length: 1_100 }, (_, n) => asker.ask(outside, { value: `${n}` }, { timeoutMs: 500 }).catch(({ reason }) => reason));
  const [first, last] = await Promise.race([Promise.all(many.slice(-100)).then((all) => [all[0], all.at(-1)]), many[0]!.then(() => ['held', 'held'])]);
  expect([first, last], 'at once').toEqual(['offline', 'offline']);
  server = await startNats({ dir, port: server.port });
  await expect(patient).resolves.toMatchObject({ value: 'x!' });
});

test('more than a service holds is refused, and what it took is answered', async () => {
  const go = Promise.withResolvers<void>();
  await (
    await join('sessions')
  ).answer(echo, async (requests) => {
    await go.promise;
    return requests.map(({ value }) => echoed(value));
  });
  const asker = await join('portal');
  const held = 32 + 512;
  const asks = Array.from({ length: (held + 10) * 64 }, async () => {
    try {
      await asker.ask(echo, { value: 'x' }, { timeoutMs: 60_000 });
      return 'answered';
    } catch (error) {
      go.resolve();
      return error instanceof Refused ? error.code : 'failed';
    }
  });
  const outcomes = await Promise.all(asks);
  expect(outcomes.filter((outcome) => outcome === 'answered').length).toBeGreaterThan(held * 63);
  expect(outcomes.filter((outcome) => outcome === 'overloaded').length).toBeGreaterThan(0);
  expect(outcomes).not.toContain('failed');
});

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 10));
}
