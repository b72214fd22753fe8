import { expect, test } from 'vitest';
import { errorCode, faultOf } from './dialect.ts';
import { parseFrame, serialiseCall, serialiseError, serialiseResult } from './frame.ts';

const read = (text: string) => parseFrame(text, 'ocpp1.6');

test('a CALL is read with its id, action and payload', () => {
  expect(read('[2,"19","Heartbeat",{}]')).toEqual({
    type: 'call',
    id: '19',
    action: 'Heartbeat',
    payload: {},
  });
});

test('a CALLRESULT and a CALLERROR are read', () => {
  expect(read('[3,"19",{"currentTime":"2022-02-01T17:00:00Z"}]')).toEqual({
    type: 'result',
    id: '19',
    payload: { currentTime: '2022-02-01T17:00:00Z' },
  });
  expect(read('[4,"19","InternalError","no",{"a":1}]')).toEqual({
    type: 'error',
    id: '19',
    code: 'InternalError',
    description: 'no',
    details: { a: 1 },
  });
});

test('J-22: 1.6 may write an empty payload as null, 2.x may not', () => {
  expect(read('[2,"1","Heartbeat",null]')).toMatchObject({ type: 'call', payload: {} });
  expect(read('[3,"1",null]')).toMatchObject({ type: 'result', payload: {} });
  expect(parseFrame('[2,"1","Heartbeat",null]', 'ocpp2.0.1')).toMatchObject({
    problem: 'payload-not-an-object',
  });
});

test.each([
  ['', 'empty'],
  ['{', 'not-json'],
  ['{"a":1}', 'not-an-array'],
  ['[]', 'type-unreadable'],
  ['["2","1","Heartbeat",{}]', 'type-unreadable'],
  ['[2.5,"1","Heartbeat",{}]', 'type-unreadable'],
  ['[7,"1","Heartbeat",{}]', 'type-unknown'],
  ['[6,"1","NotifyPeriodicEventStream",{}]', 'type-unknown'],
  ['[2,1,"Heartbeat",{}]', 'id-unreadable'],
  ['[2,"","Heartbeat",{}]', 'id-unreadable'],
  [`[2,"${'x'.repeat(256)}","Heartbeat",{}]`, 'id-unreadable'],
  ['['.repeat(30) + ']'.repeat(30), 'too-deep'],
])('in 1.6 a message without a readable id is dropped: %s is %s', (text, problem) => {
  const frame = read(text);
  expect(frame).toMatchObject({ type: 'problem', problem });
  expect(frame).not.toHaveProperty('reply');
});

test.each([
  ['[2,"1","Heartbeat"]', 'element-count'],
  ['[2,"1","Heartbeat",{},{}]', 'element-count'],
  ['[2,"1",5,{}]', 'action-unreadable'],
  ['[2,"1","Heartbeat",[]]', 'payload-not-an-object'],
  ['[2,"1","Heartbeat","{}"]', 'payload-not-an-object'],
])('a CALL with a readable id and a broken shape is answered: %s', (text, problem) => {
  const frame = read(text);
  expect(frame).toMatchObject({ type: 'problem', problem });
  const reply = JSON.parse((frame as { reply: string }).reply);
  expect(reply).toEqual([4, '1', 'FormationViolation', expect.any(String), {}]);
});

test('J-27: a CALLRESULT of the wrong shape is never answered and names the CALL that failed', () => {
  const frame = read('[3,"1"]');
  expect(frame).toMatchObject({ problem: 'element-count', fails: '1' });
  expect(frame).not.toHaveProperty('reply');
  expect(read('[4,"1",7,"",{}]')).toMatchObject({ problem: 'code-unreadable', fails: '1' });
});

test('a CALLERROR without its last elements still says its code', () => {
  expect(read('[4,"1","NotSupported"]')).toMatchObject({
    code: 'NotSupported',
    description: '',
    details: {},
  });
  expect(read('[4,"1","NotSupported",null,null]')).toMatchObject({ description: '', details: {} });
});

test('J-24: a message type nobody knows is dropped in 1.6 and 2.1 and answered in 2.0.1', () => {
  const text = '[9,"1","X",{}]';
  expect(read(text)).not.toHaveProperty('reply');
  expect(parseFrame(text, 'ocpp2.1')).not.toHaveProperty('reply');
  expect(parseFrame(text, 'ocpp2.0.1')).toMatchObject({
    reply: expect.stringContaining('MessageTypeNotSupported'),
  });
});

test('J-52: 2.x answers what it cannot read under the id "-1" and never echoes it', () => {
  const frame = parseFrame('[2,"1","Secret', 'ocpp2.0.1') as { reply: string };
  expect(JSON.parse(frame.reply)).toEqual([
    4,
    '-1',
    'RpcFrameworkError',
    'the message is no JSON',
    {},
  ]);
});

test('2.1 knows SEND and CALLRESULTERROR, and never answers them', () => {
  expect(parseFrame('[6,"1","NotifyPeriodicEventStream",{}]', 'ocpp2.1')).toMatchObject({
    type: 'send',
  });
  expect(parseFrame('[5,"1","FormatViolation","",{}]', 'ocpp2.1')).toMatchObject({
    type: 'result-error',
  });
  expect(parseFrame('[6,"1","NotifyPeriodicEventStream"]', 'ocpp2.1')).not.toHaveProperty('reply');
});

test('a bracket inside a string nests nothing', () => {
  expect(
    read(`[2,"1","DataTransfer",{"vendorId":"${'['.repeat(100)}\\"${'{'.repeat(100)}"}]`),
  ).toMatchObject({
    type: 'call',
  });
});

test('a message over the size limit is not parsed', () => {
  const text = `[2,"1","DataTransfer",{"vendorId":"${'x'.repeat(600_000)}"}]`;
  expect(read(text)).toMatchObject({ problem: 'too-large' });
});

test('J-50: each version gets its own spelling, and every spelling is understood', () => {
  expect(errorCode('ocpp1.6', 'formation')).toBe('FormationViolation');
  expect(errorCode('ocpp2.0.1', 'formation')).toBe('FormatViolation');
  expect(errorCode('ocpp1.6', 'occurrence')).toBe('OccurenceConstraintViolation');
  expect(errorCode('ocpp2.1', 'occurrence')).toBe('OccurrenceConstraintViolation');
  expect(faultOf('OccurenceConstraintViolation')).toBe(faultOf('OccurrenceConstraintViolation'));
  expect(faultOf('FormationViolation')).toBe(faultOf('FormatViolation'));
  expect(faultOf('VendorMadeThisUp')).toBeUndefined();
});

test('what is written is what is read', () => {
  expect(read(serialiseCall('a', 'Reset', { type: 'Soft' }))).toMatchObject({
    type: 'call',
    payload: { type: 'Soft' },
  });
  expect(read(serialiseResult('a', {}))).toEqual({ type: 'result', id: 'a', payload: {} });
  const error = serialiseError('ocpp1.6', {
    id: 'a',
    fault: 'security',
    description: 'x'.repeat(400),
  });
  expect(JSON.parse(error)).toEqual([4, 'a', 'SecurityError', 'x'.repeat(255), {}]);
});

test('J-23: an optional field that is undefined is not sent', () => {
  expect(serialiseCall('a', 'RemoteStartTransaction', { idTag: 'T', connectorId: undefined })).toBe(
    '[2,"a","RemoteStartTransaction",{"idTag":"T"}]',
  );
});
