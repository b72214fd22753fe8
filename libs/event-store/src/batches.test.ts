import { expect, test } from 'vitest';
import { Batches } from './batches.ts';
import { LIMITS } from './bounds.ts';
import type { AppendItem, AppendOutcome } from './port.ts';

const limits = { events: 4, bytes: 1_000 };

test('appends that come while one is under way are sent together', async () => {
  const { sent, send } = recorder();
  const batches = new Batches(send, limits, 1);
  await Promise.all([1, 2, 3].map((n) => batches.append([item(`s${n}`)], [10])));
  expect(sent).toEqual([['s1', 's2', 's3']]);
  const first = batches.append([item('a')], [10]);
  await Promise.resolve();
  await Promise.resolve();
  const later = ['b', 'c'].map((stream) => batches.append([item(stream)], [10]));
  await Promise.all([first, ...later]);
  expect(sent.slice(1)).toEqual([['a'], ['b', 'c']]);
});

test('a batch keeps to its limits of events and of bytes, and takes at least one item', async () => {
  const { sent, send } = recorder();
  const batches = new Batches(send, limits, 1);
  await batches.append(['a', 'b', 'c', 'd', 'e'].map((stream) => item(stream)), [1, 1, 1, 1, 1]);
  await batches.append([item('f'), item('g'), item('h')], [600, 600, 5_000]);
  expect(sent).toEqual([['a', 'b', 'c', 'd'], ['e'], ['f'], ['g'], ['h']]);
});

test('each item gets its own answer', async () => {
  const { send } = recorder();
  const batches = new Batches(send, limits, 3);
  const streams = Array.from({ length: 20 }, (_, n) => `s${n}`);
  const answers = await batches.append(streams.map((stream) => item(stream)), streams.map(() => 1));
  expect(answers).toEqual(streams.map((stream) => answerFor(stream)));
});

test('a stream keeps to its lane, so that its items stay in order', async () => {
  const { sent, send } = recorder();
  const batches = new Batches(send, limits, 2);
  await Promise.all(Array.from({ length: 20 }, (_, n) => batches.append([item('s', n)], [1])));
  expect(sent.flat()).toHaveLength(20);
  expect(sent.every((batch) => batch.length <= 4)).toBe(true);
});

test('a batch that fails takes nobody else along', async () => {
  const batches = new Batches(async (items) => {
    if (items.some((one) => one.stream === 'bad')) throw new Error('refused');
    return items.map((one) => answerFor(one.stream));
  }, { events: 1, bytes: 1_000 }, 1);
  const answers = await Promise.allSettled(['a', 'bad', 'b'].map((stream) => batches.append([item(stream)], [1])));
  expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('what waits for an answer is bounded in bytes, and taken again when there is room', async () => {
  const { send } = recorder();
  const batches = new Batches(send, limits, 1);
  const first = batches.append([item('a')], [LIMITS.bytesInFlight]);
  await expect(batches.append([item('b')], [1])).rejects.toMatchObject({ code: 'too-much-in-flight' });
  await first;
  await expect(batches.append([item('b')], [1])).resolves.toEqual([answerFor('b')]);
});

function item(stream: string, expected = 0): AppendItem {
  return { stream, expected, events: [{ id: 'id', type: 'Tested', data: '' }] };
}

function answerFor(stream: string): AppendOutcome {
  return { outcome: 'appended', version: 1, position: BigInt(stream.length * 1_000 + stream.charCodeAt(stream.length - 1)) };
}

function recorder() {
  const sent: string[][] = [];
  const send = async (items: readonly AppendItem[]) => {
    sent.push(items.map((one) => one.stream));
    await new Promise((resolve) => setImmediate(resolve));
    return items.map((one) => answerFor(one.stream));
  };
  return { sent, send };
}
