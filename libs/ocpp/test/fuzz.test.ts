import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acceptPayload, messages16, parseFrame, readings } from '#ocpp';
import type { MeterValue16, OcppVersion } from '#ocpp';

const count = Number(process.env['FUZZ_RUNS'] ?? 3_000);
const seed = Number(process.env['SEED']);
const runs = { numRuns: count, seed };

const versions = fc.constantFrom<OcppVersion>('ocpp1.6', 'ocpp2.0.1', 'ocpp2.1');
const json = fc.jsonValue({ maxDepth: 6 });
const actions = fc.constantFrom(...Object.keys(messages16), 'Unknown', '__proto__', 'constructor');
const nearFrame = fc.tuple(
  fc.oneof(fc.integer({ min: -1, max: 9 }), json),
  fc.oneof(fc.string(), json),
  fc.oneof(actions, json),
  json,
);
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  json.map((value) => JSON.stringify(value)),
  nearFrame.map((elements) => JSON.stringify(elements)),
  fc.tuple(nearFrame, fc.nat(), fc.string()).map(([elements, at, cut]) => {
    const text = JSON.stringify(elements);
    const i = at % (text.length + 1);
    return text.slice(0, i) + cut + text.slice(i + cut.length);
  }),
  fc.nat({ max: 5_000 }).map((n) => '['.repeat(n)),
);

test('any text is a frame or a named problem, and a reply is always a CALLERROR', () => {
  fc.assert(
    fc.property(texts, versions, (text, version) => {
      const frame = parseFrame(text, version);
      if (frame.type !== 'problem') return void expect(frame.id.length).toBeGreaterThan(0);
      if (frame.reply === undefined) return;
      const reply = JSON.parse(frame.reply) as unknown[];
      expect(reply.length).toBe(5);
      expect(reply[0]).toBe(4);
      expect(typeof reply[1]).toBe('string');
    }),
    runs,
  );
});

const instants = fc.oneof(fc.constant('2022-02-01T17:00:00Z'), fc.string(), json);
const sampled = fc.record(
  {
    value: fc.oneof(fc.string(), fc.double().map(String), json),
    unit: fc.oneof(fc.constantFrom('Wh', 'kWh', 'W'), json),
    measurand: fc.oneof(fc.constantFrom('Voltage', 'SoC'), json),
    phase: json,
    extra: json,
  },
  { requiredKeys: [] },
);
const meterValue = fc.array(
  fc.record(
    { timestamp: instants, sampledValue: fc.oneof(fc.array(sampled, { maxLength: 4 }), json) },
    { requiredKeys: [] },
  ),
  { maxLength: 3 },
);
const payloads = fc.oneof(
  fc.dictionary(fc.string(), json),
  fc.record(
    {
      connectorId: json,
      transactionId: fc.oneof(fc.integer(), json),
      idTag: fc.oneof(fc.string(), json),
      meterStart: fc.oneof(fc.double(), json),
      meterStop: fc.oneof(fc.integer(), json),
      timestamp: instants,
      meterValue,
      transactionData: meterValue,
      reason: json,
      status: json,
      errorCode: json,
      ['__proto__']: json,
    },
    { requiredKeys: [] },
  ),
);
const known = fc.constantFrom(...Object.keys(messages16));
const kinds = fc.constantFrom('request' as const, 'response' as const);

test('any payload is accepted or refused with a named field, and what is accepted can be read', () => {
  fc.assert(
    fc.property(known, kinds, payloads, (action, kind, made) => {
      const payload = JSON.parse(JSON.stringify(made)) as Record<string, unknown>;
      const before = JSON.stringify(payload);
      const judged = acceptPayload('ocpp1.6', action, kind, payload);
      expect(JSON.stringify(payload)).toBe(before);
      if (!judged.ok) return void expect(judged.fault.description).not.toBe('');
      const data = judged.payload['meterValue'] ?? judged.payload['transactionData'];
      if (kind === 'request' && data !== undefined) readings(data as MeterValue16[]);
    }),
    runs,
  );
});
