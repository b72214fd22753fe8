import { execFileSync } from 'node:child_process';
import {
  createFileRegistry,
  create,
  type DescMessage,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { checkoutRoot } from '#servers';
import {
  readAnswerBatch,
  readAskBatch,
  readTellAgain,
  readToldAgain,
  writeAnswerBatch,
  writeAskBatch,
  writeTellAgain,
  writeToldAgain,
} from './wire.ts';

const image = execFileSync('buf', ['build', 'proto', '--path', 'proto/roamwatt/bus', '-o', '-'], {
  cwd: checkoutRoot(),
  stdio: ['ignore', 'pipe', 'inherit'],
});
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));

function message(name: string): DescMessage {
  const found = registry.getMessage(`roamwatt.bus.v1.${name}`);
  if (!found) throw new Error(`no ${name} in bus.proto`);
  return found;
}

/** What the proto file reads out of the bytes, written again by the proto file. */
function throughProto(name: string, bytes: Uint8Array) {
  const schema = message(name);
  const parsed = fromBinary(schema, bytes, { readUnknownFields: true });
  expect(parsed.$unknown, `${name} has fields that bus.proto lacks`).toBeUndefined();
  return { parsed: parsed as unknown as Record<string, unknown>, bytes: toBinary(schema, parsed) };
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

test('an ask batch is as bus.proto says', () => {
  const items = [
    { request: bytes('one'), commandId: 'c-1', patienceMs: 5_000 },
    { request: new Uint8Array(), commandId: '', patienceMs: 0 },
  ];
  for (const parts of [true, false]) {
    const through = throughProto('AskBatch', writeAskBatch({ items, parts }));
    expect(through.parsed['items']).toHaveLength(2);
    expect(readAskBatch(through.bytes)).toEqual({ items, parts });
  }
});

test('an answer batch is as bus.proto says', () => {
  const batch = {
    first: 64,
    items: [
      { answer: bytes('yes') },
      { refusal: { code: 'no', detail: 'né' } },
      { answer: new Uint8Array() },
    ],
  };
  expect(readAnswerBatch(throughProto('AnswerBatch', writeAnswerBatch(batch)).bytes)).toEqual(
    batch,
  );
  for (const item of [
    { answer: bytes('yes') },
    { answer: bytes('y'), part: 0, more: true },
    { answer: bytes('s'), part: 300, more: false },
  ]) {
    const one = { first: 0, items: [item] };
    expect(readAnswerBatch(throughProto('AnswerBatch', writeAnswerBatch(one)).bytes)).toEqual(one);
  }
});

test('what is told again is as bus.proto says', () => {
  expect(
    readTellAgain(throughProto('TellAgain', writeTellAgain(2n ** 60n, [0, 7, 63])).bytes),
  ).toEqual({ after: 2n ** 60n, slots: [0, 7, 63] });
  expect(readTellAgain(throughProto('TellAgain', writeTellAgain(0n, [])).bytes)).toEqual({
    after: 0n,
    slots: [],
  });
  const fact = {
    position: 5n,
    id: 'e',
    key: 'k',
    kind: 'a.b.v1',
    bytes: bytes('fact'),
    trace: '',
    at: '2022-02-01T17:00:00Z',
  };
  const page = { facts: [fact, { ...fact, position: 6n, trace: 't' }], position: 9n, end: true };
  expect(readToldAgain(throughProto('ToldAgain', writeToldAgain(page)).bytes)).toEqual(page);
});

test('fields that a later version adds are passed over', () => {
  const later = new Uint8Array([
    ...writeAskBatch({ items: [{ request: bytes('x'), commandId: '' }], parts: false }),
    0x7a,
    1,
    0x41,
    0x78,
    5,
  ]);
  expect(readAskBatch(later)).toEqual({ items: [{ request: bytes('x'), commandId: '', patienceMs: 0 }], parts: false });
  expect(create(message('Refusal'))).toMatchObject({ code: '' });
});
