import { expect, test } from 'vitest';
import { partnerOf, partnersText } from './partner.ts';
import { endedText } from './partner-links.ts';
import { differencesText } from './partner-pulls.ts';
import type { PortalClient } from './portal-client.ts';

const partner = {
  partner_id: '832cf2d9-ef2e-4b5b-b03e-540e61caf503', name: 'Carbon Plunk', state: 'registered', version: '2.2.1', versions_url: '',
  roles: [{ role: 'EMSP', country_code: 'CA', party_id: 'CPK' }], waiting: 3, waiting_since: '2022-02-01T17:00:00Z', failed_attempts: 2,
  dead_letters: 1, last_error: '', quirks: [], suggested_quirks: [],
};
const since = { since: '2022-02-01T17:00:00Z', next_try: '2022-02-01T17:00:10Z' };

test.each([
  ['registered', { state: 'closed' }, 'up'],
  ['registered', { state: 'open', ...since }, 'down'],
  ['registered', { state: 'half-open', ...since }, 'trying'],
  ['invited', { state: 'closed' }, '-'],
  ['unregistered', { state: 'closed' }, '-'],
])('the line of a partner who is %s, with its circuit %j, is shown as %s', (state, line, shown) => {
  const [, row] = partnersText([{ ...partner, state, line }]).split('\n');
  expect(row!.split(/ {2,}/)).toEqual([
    'Carbon Plunk',
    'CA*CPK',
    state,
    '2.2.1',
    shown,
    '3',
    '2022-02-01T17:00:00Z',
    '2',
    '1',
    partner.partner_id,
  ]);
});

test('a member that the hub does not reach is shown as offline, with since when; one that is reached is not', () => {
  const member = (status: string) =>
    partnersText([{ ...partner, line: { state: 'closed' }, reached: { status, since: '2022-02-01T16:00:00Z' } }]);
  expect(member('OFFLINE')).toMatch(
    /^Carbon Plunk +CA\*CPK +registered +2\.2\.1 +offline .*\nCarbon Plunk: is OFFLINE since 2022-02-01T16:00:00Z; .*$/m,
  );
  expect(member('CONNECTED')).toMatch(/ up /);
  expect(member('CONNECTED')).not.toContain('OFFLINE');
});

test('who waits for an approval is said to, with who it says it is', () => {
  expect(partnersText([{ ...partner, state: 'unapproved', line: { state: 'closed' } }]))
    .toMatch(/^Carbon Plunk: says that it is CA\*CPK EMSP; nothing goes to it .*partner approve 832cf2d9-ef2e-4b5b-b03e-540e61caf503$/m);
});

test('of who has not registered yet the parties that are invited are shown, in brackets', () => {
  const invited = [{ country_code: 'CA', party_id: 'CPK', roles: ['EMSP'] }, { country_code: 'CA', party_id: 'ISL', roles: [] }];
  expect(partnersText([{ ...partner, state: 'invited', roles: [], invited }])).toMatch(/^Carbon Plunk +\(CA\*CPK CA\*ISL\) +invited/m);
  expect(partnersText([{ ...partner, invited }])).toMatch(/^Carbon Plunk +CA\*CPK +registered/m);
});

test('a line that is down says since when, and when it is tried next', () => {
  expect(partnersText([{ ...partner, line: { state: 'open', ...since } }]))
    .toContain('Carbon Plunk: does not take what is sent, since 2022-02-01T17:00:00Z; next try 2022-02-01T17:00:10Z');
});

test('what a partner does otherwise than OCPI has it is said where something is or could be chosen', () => {
  const lines = partnersText([{ ...partner, quirks: ['no-patch'], suggested_quirks: ['unencoded-token', 'no-link'] }]).split('\n').slice(2);
  expect(lines).toEqual([
    'Carbon Plunk: is spoken to by its quirks no-patch',
    'Carbon Plunk: shows unencoded-token, no-link, see npx roamwatt partner quirks',
  ]);
});

test('what an older version could not say is told in a line', () => {
  const not_carried = ['tariff to 2.1.1: elements[].price_components[].vat: OCPI 2.1.1 has no such field', 'location to 2.1.1: …'];
  expect(partnersText([{ ...partner, version: '2.1.1', not_carried }]))
    .toMatch(/^Carbon Plunk: OCPI 2\.1\.1 cannot say all that there is .*price_components\[\]\.vat.*; and 1 more$/m);
});

test('what is said of one of several of a name says which, and of a link that has ended nothing is said that is over', () => {
  const line = { state: 'half-open', ...since };
  const ended = { ...partner, partner_id: 'aaaaaaaa-1111', state: 'unregistered', line, last_error: 'HTTP 401', not_carried: ['a'], quirks: ['no-patch'] };
  const lines = partnersText([ended, { ...partner, last_error: 'HTTP 500' }, { ...partner, partner_id: 'bbbbbbbb-2222', name: 'Other' }]).split('\n');
  expect(lines.slice(4)).toEqual(['Carbon Plunk (832cf2d9): HTTP 500']);
});

test('a partner is shown, and found, under the name that it has here beside the one that it gives itself', async () => {
  const known = { ...partner, name: 'Carbon Plunk Mobility Inc.', known_as: 'Plunk' };
  expect(partnersText([known])).toMatch(/^Carbon Plunk Mobility Inc\. \(Plunk\) +CA\*CPK/m);
  expect(partnersText([{ ...partner, known_as: 'carbon plunk' }])).toMatch(/^Carbon Plunk +CA\*CPK/m);
  const portal = { call: async () => ({ partners: [known, { ...partner, partner_id: 'x', name: 'Other', roles: [] }] }) } as unknown as PortalClient;
  for (const named of ['plunk', 'Carbon Plunk Mobility Inc.', 'CA*CPK'])
    expect(await partnerOf({ files: [named], options: {}, flags: new Set() }, portal)).toBe(known);
  await expect(partnerOf({ files: ['Nobody'], options: {}, flags: new Set() }, portal)).rejects.toThrow('there is Carbon Plunk Mobility Inc., Other');
});

test.each([
  ['registered', { told: true, detail: '' }, /^The link has ended\. The partner knows\.\nCards of its drivers charge no more/],
  ['registered', { told: false, detail: 'HTTP 500' }, /^The link has ended\. The partner could not be told: HTTP 500\n/],
  ['invited', { told: false, detail: 'A was invited' }, /^The invitation is withdrawn: its TOKEN_A is dead\.$/],
  ['unregistered', { told: false, detail: 'A was unregistered' }, /^There was no link any more\.$/],
])('the end of a partner who is %s is said for what it is', (was, answer, said) => {
  expect(endedText({ ...answer, was })).toMatch(said);
});

test('no partners, and lists that nobody has read yet, are said, and what to do', () => {
  expect(partnersText([])).toContain('partner invite NAME');
  expect(differencesText({ pulls: [], differences: [] })).toContain('No list was read yet');
  const pull = { module: 'cdrs', ended_at: '2022-02-01T17:00:00Z', full: true, objects: 0, differences: 0, error: '' };
  expect(differencesText({ pulls: [pull], differences: [] })).toMatch(/^list .*\ncdrs .*\nNo differences\.$/);
});
