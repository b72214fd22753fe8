import { expect, test } from 'vitest';
import type { Role } from '#ocpi';
import { conformance, type Report } from '../src/index.ts';
import { type Fault, faults, hubFaults } from './peer-faults.ts';
import { Peer } from './peer.ts';

// The kit finds what it is for: a platform by the book passes, and one with a fault fails by the rules that the
// fault breaks, and by no others.

async function tried(broken: readonly Fault[], roles?: readonly Role[]): Promise<Report> {
  const peer = await Peer.open(broken, roles);
  try {
    return await conformance({
      versionsUrl: `${peer.url}/versions`, token: peer.tokenA, party: { country_code: 'CA', party_id: 'KIT' }, chargeAt: 'Site-0', patienceMs: 50,
    });
  } finally {
    await peer.close();
  }
}

const failures = ({ verdicts }: Report) => verdicts.filter(({ verdict }) => verdict === 'fail');

test('a platform by the book passes', async () => {
  const report = await tried([]);
  expect(failures(report).flatMap(({ rule, findings }) => findings.map(({ expected, response }) => `${rule}: ${expected}: ${response}`))).toEqual([]);
  const passed = report.verdicts.filter(({ verdict }) => verdict === 'pass').length;
  expect(passed).toBeGreaterThan(80);
});

test.concurrent.each(Object.entries(faults) as [Fault, readonly string[]][])('%s', async (fault, broken) => {
  const failed = failures(await tried([fault]));
  expect(failed.map(({ rule }) => rule).sort(), JSON.stringify(failed, undefined, 1).slice(0, 3_000)).toEqual([...broken].sort());
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
