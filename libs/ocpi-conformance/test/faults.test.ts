import { expect, test } from 'vitest';
import type { Role } from '#ocpi';
import { type Conformance, conformance, type Report, reportText } from '../src/index.ts';
import { Listener } from '../src/listener.ts';
import { type Fault, faults, hubFaults } from './peer-faults.ts';
import { Peer } from './peer.ts';

// The kit finds what it is for: a platform by the book passes, and one with a fault fails by the rules that the
// fault breaks, and by no others.

/** A result that must not come is waited for: longer of a platform that sends one. */
const patienceFor = (broken: readonly Fault[]) =>
  (broken.some((fault) => fault.endsWith('though nothing was accepted')) ? 8_000 : 50);

async function tried(
  broken: readonly Fault[],
  roles?: readonly Role[],
  { heldUpMs = 0, isLiberal = false, ...given }: Partial<Conformance> & { heldUpMs?: number; isLiberal?: boolean } = {},
): Promise<Report> {
  const peer = await Peer.open(broken, roles);
  Object.assign(peer, { heldUpMs, isLiberal });
  try {
    return await conformance({
      versionsUrl: `${peer.url}/versions`,
      token: peer.tokenA,
      party: { country_code: 'CA', party_id: 'KIT' },
      chargeAt: 'Site-0',
      patienceMs: patienceFor(broken),
      timeoutMs: 30_000,
      memberToken: peer.tokenM,
      ...given,
    });
  } finally {
    await peer.close();
  }
}

/** Whatever a platform says, no check breaks off over it: what it did not come to would be said to be fine. */
const brokenOff = ({ verdicts }: Report) =>
  verdicts.flatMap(({ why }) => (why?.includes('ended early') && !why.includes('the registration token') ? [why] : []));

const failures = ({ verdicts }: Report) => verdicts.filter(({ verdict }) => verdict === 'fail');

test('a platform by the book passes', async () => {
  const report = await tried([]);
  expect(
    failures(report).flatMap(({ rule, findings }) =>
      findings.map(({ expected, response }) => `${rule}: ${expected}: ${response}`),
    ),
  ).toEqual([]);
  expect(report.unlinked).toBeUndefined();
  const passed = report.verdicts.filter(({ verdict }) => verdict === 'pass').length;
  expect(passed).toBeGreaterThan(80);
});

const foundIn = (report: Report) =>
  failures(report).flatMap(({ rule, findings }) => findings.map(({ expected, request, response }) => `${rule}: ${expected}: ${request}: ${response}`));

test('a platform that takes every liberty of the text passes: other versions, modules, lists, digits, slashes, codings and defaults', async () => {
  const report = await tried([], undefined, { isLiberal: true });
  expect(foundIn(report)).toEqual([]);
  expect(brokenOff(report)).toEqual([]);
  expect(report.verdicts.filter(({ verdict }) => verdict === 'pass').length).toBeGreaterThan(75);
  expect(report.verdicts.find(({ rule }) => rule === 'TRN-52')).toMatchObject({ verdict: 'pass' });
});

test('a smart charging service provider, who has no more than Sessions and profiles, is tried as well', async () => {
  const report = await tried([], ['SCSP']);
  expect(foundIn(report)).toEqual([]);
  expect(report.verdicts.find(({ rule }) => rule === 'SES-02')).toMatchObject({ verdict: 'pass' });
});

test('a hub that does not name itself in its answer to what is for everybody passes', async () => {
  const report = await tried([], ['HUB'], { isLiberal: true });
  expect(foundIn(report)).toEqual([]);
});

test('a platform behind a proxy passes, though its results overtake the responses that they follow', async () => {
  const report = await tried([], undefined, { heldUpMs: 20, only: ['commands: a charge'] });
  expect(failures(report)).toEqual([]);
  expect(report.verdicts.find(({ rule }) => rule === 'CMD-03')).toMatchObject({ verdict: 'pass' });
});

test('a platform that cannot call the kit breaks no rule by that: what needs it is not tested, and why is said', async () => {
  const report = await tried([], undefined, { publicUrl: 'http://127.0.0.1:1' });
  expect(failures(report)).toEqual([]);
  expect(report.unreached).toContain('http://127.0.0.1:1/');
  expect(report.unlinked).toContain('could not call the kit');
  for (const id of ['CRE-01', 'CRE-02', 'CRE-03', 'CRE-05', 'TRN-52'])
    expect(report.verdicts.find(({ rule }) => rule === id)).toMatchObject({ verdict: 'not tested' });
  expect(reportText(report).split('\n').at(-1)).toMatch(/could not call the kit .*--public-url .*allow_private_urls/);
});

const kit = { country_code: 'CA', party_id: 'KIT' };

test('what is only read is read with the token of a link that stands, and nothing is written', async () => {
  const peer = await Peer.open(['date_to is inclusive', 'PUT merges']);
  peer.link('token-of-the-link', kit);
  const report = await conformance({
    versionsUrl: `${peer.url}/versions`,
    token: 'token-of-the-link',
    party: kit,
    readOnly: true,
    chargeAt: 'Site-0',
  });
  await peer.close();
  expect(failures(report).map(({ rule }) => rule)).toEqual(['TRN-50']);
  expect(report.written).toEqual([]);
  expect(peer.isUntouched).toBe(true);
  expect(report.verdicts.find(({ rule }) => rule === 'TRN-60')).toMatchObject({
    verdict: 'not tested',
    why: expect.stringContaining('--read-only'),
  });
});

test('a registration token that is only to read with opens the versions, and is not spent', async () => {
  const peer = await Peer.open();
  const report = await conformance({ versionsUrl: `${peer.url}/versions`, token: peer.tokenA, party: kit, readOnly: true });
  await peer.close();
  expect(failures(report)).toEqual([]);
  expect(peer.isUntouched).toBe(true);
  expect(report.verdicts.find(({ rule }) => rule === 'TRN-51')).toMatchObject({ verdict: 'not tested', why: 'the kit is not registered' });
});

test('interrupted in the midst, it ends the link and says what is left', async () => {
  const peer = await Peer.open();
  const stopping = new AbortController();
  const report = await conformance({
    versionsUrl: `${peer.url}/versions`, token: peer.tokenA, party: kit, signal: stopping.signal,
    progress: (_done, _of, check) => void (check === 'cdrs: the list' && stopping.abort()),
  });
  await peer.close();
  expect(report.verdicts.find(({ rule }) => rule === 'CRE-08')).toMatchObject({ verdict: 'pass' });
  expect(report.verdicts.find(({ rule }) => rule === 'SES-03')).toMatchObject({ verdict: 'not tested', why: 'it was interrupted' });
});

test('a platform that is slow in everything is given up once the time is over, in the midst of a check, too', async () => {
  const report = await tried([], undefined, { heldUpMs: 50, minutes: 0.1 / 60 });
  const verdict = (id: string) => report.verdicts.find(({ rule }) => rule === id);
  expect(verdict('VER-03')).toMatchObject({ verdict: 'not tested', why: expect.stringContaining('the time was over') });
  expect(failures(report)).toEqual([]);
});

test('what a platform sends without an end is not all kept', async () => {
  const listener = await Listener.open({ host: '127.0.0.1', port: 0, publicUrl: '', party: kit });
  const body = JSON.stringify({ more: 'x'.repeat(4_900_000) });
  for (let n = 0; n < 12; n += 1) await fetch(`${listener.url}/receiver/cdrs`, { method: 'POST', body });
  await listener.close();
  expect(listener.seen.length).toBeGreaterThan(5);
  expect(listener.seen.length).toBeLessThan(12);
});

test('a rule for which the kit was not given an EVSE is not tested, and not one that does not apply', async () => {
  const peer = await Peer.open();
  const report = await conformance({ versionsUrl: `${peer.url}/versions`, token: peer.tokenA, party: kit, only: ['commands: a charge'] });
  await peer.close();
  expect(report.verdicts.find(({ rule }) => rule === 'CMD-03')).toMatchObject({
    verdict: 'not tested',
    why: expect.stringContaining('--charge-at'),
  });
  expect(report.written.filter((line) => line.includes(': nothing'))).toEqual([]);
});

test('no token is in a report', async () => {
  const report = await tried([
    'a failing callback is 3000',
    'GET of credentials hides the token',
    'PUT of credentials keeps the token',
    'the token outlives the link',
  ]);
  expect(JSON.stringify(report)).toContain('<token>');
  const tokens = JSON.stringify(report).match(/"token\\?":\s*\\?"(?!<token>)[^"]{8,}"/g);
  expect(tokens).toBeNull();
});

test.concurrent.each(Object.entries(faults) as [Fault, readonly string[]][])('%s', async (fault, broken) => {
  const report = await tried([fault]);
  const failed = failures(report);
  expect(failed.map(({ rule }) => rule).sort(), JSON.stringify(failed, undefined, 1).slice(0, 3_000)).toEqual([...broken].sort());
  expect(brokenOff(report)).toEqual([]);
  for (const { findings } of failed) expect(findings[0]).toMatchObject({ expected: expect.any(String), request: expect.any(String) });
});

test('a hub by the book passes', async () => {
  const report = await tried([], ['HUB']);
  expect(failures(report).flatMap(({ rule, findings }) => findings.map(({ expected, response }) => `${rule}: ${expected}: ${response}`))).toEqual([]);
  const passed = report.verdicts.filter(({ verdict }) => verdict === 'pass').map(({ rule }) => rule);
  for (const rule of new Set(Object.values(hubFaults).flat())) expect(passed).toContain(rule);
  expect(report.verdicts.find(({ rule }) => rule === 'SES-03')).toMatchObject({ verdict: 'not applicable' });
});

test.concurrent.each(Object.entries(hubFaults) as [Fault, readonly string[]][])('%s', async (fault, broken) => {
  const failed = failures(await tried([fault], ['HUB']));
  expect(failed.map(({ rule }) => rule).sort(), JSON.stringify(failed, undefined, 1).slice(0, 3_000)).toEqual([...broken].sort());
});
