import { expect, test } from 'vitest';
import {
  answerRouting, authorization, idHeaders, readMessageIds, readRouting, routingHeaders, tokenCandidates,
} from './headers.ts';

const oasis = { country_code: 'CA', party_id: 'BCT' };
const plunk = { country_code: 'CA', party_id: 'CPK' };

test('TRN-01 TRN-03 the token is Base64 of its UTF-8 bytes, without a newline', () => {
  expect(authorization('example-token')).toBe('Token ZXhhbXBsZS10b2tlbg==');
});

test('TRN-03 a newline or space that was encoded with the token is forgiven', () => {
  expect(tokenCandidates('Token ZXhhbXBsZS10b2tlbgo=')[0]).toEqual({ token: 'example-token', encoding: 'base64', trimmed: true });
});

test('TRN-04 a token sent as it is is understood after the encoded reading', () => {
  expect(tokenCandidates('Token example-token')).toEqual([{ token: 'example-token', encoding: 'raw' }]);
  expect(tokenCandidates('Token abcdabcd').map(({ encoding }) => encoding)).toContain('raw');
  expect(authorization('example-token', 'raw')).toBe('Token example-token');
});

test('TRN-04 the scheme may be in any case', () => {
  expect(tokenCandidates('TOKEN ZXhhbXBsZS10b2tlbg==')[0]?.token).toBe('example-token');
  expect(tokenCandidates('token ZXhhbXBsZS10b2tlbg')[0]?.token).toBe('example-token');
});

test.each([undefined, '', 'Token', 'Token ', 'Bearer abc', 'Token a b', `Token ${'x'.repeat(300)}`])(
  'TRN-05 the header %j holds no token', (header) => {
    expect(tokenCandidates(header)).toEqual([]);
  });

test('HUB-01 the four routing headers come in pairs', () => {
  const headers = routingHeaders({ to: oasis, from: plunk });
  expect(headers).toEqual({
    'OCPI-to-party-id': 'BCT', 'OCPI-to-country-code': 'CA',
    'OCPI-from-party-id': 'CPK', 'OCPI-from-country-code': 'CA',
  });
  const asNode = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  expect(readRouting(asNode)).toEqual({ ok: true, routing: { to: oasis, from: plunk } });
  expect(readRouting({ 'ocpi-to-party-id': 'BCT' })).toEqual({
    ok: false, message: 'OCPI-to-party-id and OCPI-to-country-code come together (OCPI 2.2.1)',
  });
  expect(readRouting({ 'ocpi-from-party-id': 'C/K', 'ocpi-from-country-code': 'CA' }).ok).toBe(false);
});

test('HUB-03 between two platforms of one party they may be absent', () => {
  expect(readRouting({})).toEqual({ ok: true, routing: {} });
});

test('HUB-04 in the response TO and FROM are swapped', () => {
  expect(answerRouting({ to: oasis, from: plunk })).toEqual({ to: plunk, from: oasis });
});

test('an open routing request has no TO', () => {
  expect(Object.keys(routingHeaders({ from: plunk }))).toEqual(['OCPI-from-party-id', 'OCPI-from-country-code']);
});

test('TRN-13 TRN-80 the ids of a request are echoed; absent or unfit ones are made', () => {
  const ids = readMessageIds({ 'x-request-id': 'r-1', 'x-correlation-id': ['c-1'] }, () => 'new');
  expect(ids).toEqual({ requestId: 'r-1', correlationId: 'c-1' });
  expect(idHeaders(ids)).toEqual({ 'X-Request-ID': 'r-1', 'X-Correlation-ID': 'c-1' });
  const injected = readMessageIds({ 'x-request-id': 'a\r\nSet-Cookie: x' }, () => 'new');
  expect(injected).toEqual({ requestId: 'new', correlationId: 'new' });
});
