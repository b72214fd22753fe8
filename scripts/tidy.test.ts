import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTree, RULES, tidy, told, verdict } from './tidy.ts';
import { talksOf } from './tidy/talks.ts';
import type { Finding } from './tidy/tree.ts';

const root = join(import.meta.dirname, '..');

test('the check ends with a verdict', () => {
  expect([0, 1, 7].map((findings) => verdict(findings, 400))).toEqual([
    '400 files: nothing is against the rules (what grows long may stay).',
    '400 files: one thing is against the rules.',
    '400 files: 7 things are against the rules.',
  ]);
});

test('the repository keeps its own rules', () => {
  expect(tidy(readTree(root)).map(told)).toEqual([]);
});

// Words that must not stand in the repository, put together here so that they do not.
const LATER = 'TO' + 'DO';
const lines = (count: number) => 'const x = 1;\n'.repeat(count);
const project = (kind: string, ...dependencies: string[]) =>
  JSON.stringify({ tags: [`kind:${kind}`], implicitDependencies: dependencies });
const DECIDER = 'export const cdr: Decider<State, Command, Event> = { initial };\n';

/** Each: what is wrong, the files, the rule that must see it, and where. */
const BROKEN: readonly [string, Record<string, string>, string, string][] = [
  [
    'an ask that is not among those that a service makes',
    {
      'deploy/talks.json': '{}\n',
      'libs/contracts/src/locations.ts': "const context = 'locations';\nexport const find = ask({\n  context,\n  verb: 'find',\n});\n",
      'libs/contracts/project.json': project('lib'),
      'services/portal/project.json': project('service', 'contracts'),
      'services/portal/src/main.ts': "import { find } from '#contracts/locations';\n",
    },
    'declared talks',
    'deploy/talks.json',
  ],
  [
    'a folder named utils',
    { 'libs/bus/src/utils/wire.ts': '' },
    'names that say something',
    'libs/bus/src/utils/wire.ts',
  ],
  [
    'a file named types',
    { 'services/portal/src/types.ts': '' },
    'names that say something',
    'services/portal/src/types.ts',
  ],
  [
    'a file three folders below src',
    { 'libs/ocpi/src/a/b/c/d.ts': '' },
    'shallow folders',
    'libs/ocpi/src/a/b/c/d.ts',
  ],
  [
    'a file of 401 lines',
    { 'libs/bus/src/bus.ts': lines(401) },
    'short files',
    'libs/bus/src/bus.ts',
  ],
  [
    'a barrel that exports everything',
    { 'libs/bus/src/index.ts': "\nexport * from './bus.ts';" },
    'explicit exports',
    'libs/bus/src/index.ts:2',
  ],
  [
    'types exported wholesale',
    { 'libs/bus/src/index.ts': "export type * from './bus.ts';" },
    'explicit exports',
    'libs/bus/src/index.ts:1',
  ],
  [
    'a service that imports another',
    { 'services/portal/src/main.ts': "import { find } from '../../locations/src/find.ts';" },
    'closed projects',
    'services/portal/src/main.ts:1',
  ],
  [
    'a lib that imports a service',
    {
      'libs/bus/src/bus.ts': "import {\n  find,\n} from '../../../services/locations/src/find.ts';",
    },
    'closed projects',
    'libs/bus/src/bus.ts:3',
  ],
  [
    'a lib that reaches behind the barrel of another',
    { 'libs/due/src/due.ts': "import { pool } from '../../postgres/src/pool.ts';" },
    'closed projects',
    'libs/due/src/due.ts:1',
  ],
  [
    'a service loaded late',
    { 'services/portal/src/main.ts': "const m = await import('../../locations/src/find.ts');" },
    'closed projects',
    'services/portal/src/main.ts:1',
  ],
  [
    'a script that imports a service',
    { 'scripts/demo.ts': "import { find } from '../services/locations/src/find.ts';" },
    'closed projects',
    'scripts/demo.ts:1',
  ],
  [
    'an undeclared lib',
    {
      'libs/due/project.json': project('lib'),
      'libs/due/src/due.ts': "import { pool } from '#postgres';",
    },
    'declared dependencies',
    'libs/due/project.json',
  ],
  [
    'a declared lib that nobody imports',
    { 'libs/due/project.json': project('lib', 'postgres') },
    'declared dependencies',
    'libs/due/project.json',
  ],
  [
    'test servers in a program',
    {
      'libs/due/project.json': project('lib'),
      'libs/due/src/due.ts': "import { natsUrl } from '#test-servers';",
    },
    'declared dependencies',
    'libs/due/project.json',
  ],
  [
    'libs in a circle',
    { 'libs/a/project.json': project('lib', 'b'), 'libs/b/project.json': project('lib', 'a') },
    'no cycles',
    'libs/a/project.json',
  ],
  [
    'generated types in a service',
    { 'services/portal/src/main.ts': "import type { Cdr } from '../gen/cdr_pb.ts';" },
    'generated code stays hidden',
    'services/portal/src/main.ts:1',
  ],
  [
    'a decider that asks the clock',
    { 'services/cdr-ledger/src/cdr.ts': `${DECIDER}const at = Date.now();` },
    'pure decisions',
    'services/cdr-ledger/src/cdr.ts:2',
  ],
  [
    'a decider that takes the present',
    { 'services/cdr-ledger/src/cdr.ts': `${DECIDER}const at = new Date();` },
    'pure decisions',
    'services/cdr-ledger/src/cdr.ts:2',
  ],
  [
    'a decider that rolls dice',
    { 'services/cdr-ledger/src/cdr.ts': `${DECIDER}const at = Math.random();` },
    'pure decisions',
    'services/cdr-ledger/src/cdr.ts:2',
  ],
  [
    'a decider that makes ids',
    { 'services/cdr-ledger/src/cdr.ts': `${DECIDER}const id = crypto.randomUUID();` },
    'pure decisions',
    'services/cdr-ledger/src/cdr.ts:2',
  ],
  ...[
    '@nestjs/common',
    '@nats-io/nats-core',
    'pg',
    '@mikro-orm/core',
    'node:fs',
    'node:net',
    'node:http',
    '#bus',
  ].map((from): [string, Record<string, string>, string, string] => [
    `a decider that imports ${from}`,
    { 'services/cdr-ledger/src/cdr.ts': `import { x } from '${from}';\n${DECIDER}` },
    'pure decisions',
    'services/cdr-ledger/src/cdr.ts:1',
  ]),
  [
    'a decider with an impure file behind it',
    {
      'services/cdr-ledger/src/cdr.ts': `import { now } from './now.ts';\n${DECIDER}`,
      'services/cdr-ledger/src/now.ts': 'export const now = () => Date.now();',
    },
    'pure decisions',
    'services/cdr-ledger/src/now.ts:1',
  ],
  [
    'a pure lib that reads a file',
    { 'libs/money/src/money.ts': "import { readFileSync } from 'node:fs';" },
    'pure decisions',
    'libs/money/src/money.ts:1',
  ],
  [
    'work left for later',
    { 'libs/bus/src/bus.ts': `// ${LATER}: retry` },
    'nothing postponed',
    'libs/bus/src/bus.ts:1',
  ],
  ...['only', 'skip', 'todo'].map((way): [string, Record<string, string>, string, string] => [
    `a test with .${way} and no reason`,
    { 'libs/bus/src/bus.test.ts': `\ntest.${way}('x', () => {});` },
    'no test left out',
    'libs/bus/src/bus.test.ts:2',
  ]),
  [
    'the address of a registry',
    { Dockerfile: `RUN curl https://deb.${'debian'}.org/x` },
    'no addresses',
    'Dockerfile:1',
  ],
  [
    'a path of one machine',
    { 'scripts/x.mjs': `cd('/${'work'}/main')` },
    'no addresses',
    'scripts/x.mjs:1',
  ],
  [
    'a dependency without a reason',
    {
      'package.json': '{"dependencies":{"pg":"1.0.0"}}',
      'docs/dependencies.md': '| `pg` | MIT |  |',
      'package-lock.json': '{"packages":{"node_modules/pg":{"license":"MIT"}}}',
    },
    'known dependencies',
    'docs/dependencies.md',
  ],
  [
    'a dependency that is not listed',
    {
      'package.json': '{"devDependencies":{"pg":"1.0.0"}}',
      'docs/dependencies.md': '',
      'package-lock.json': '{"packages":{"node_modules/pg":{"license":"MIT"}}}',
    },
    'known dependencies',
    'docs/dependencies.md',
  ],
  [
    'a licence that the list has wrong',
    {
      'package.json': '{"dependencies":{"pg":"1.0.0"}}',
      'docs/dependencies.md': '| `pg` | ISC | stores rows |',
      'package-lock.json': '{"packages":{"node_modules/pg":{"license":"MIT"}}}',
    },
    'known dependencies',
    'docs/dependencies.md',
  ],
  [
    'a copyleft licence in what we ship',
    {
      'package-lock.json': '{"packages":{"node_modules/deep":{"license":"GPL-3.0"}}}',
    },
    'known dependencies',
    'package-lock.json',
  ],
  [
    'a lock file that names addresses',
    {
      'package-lock.json':
        '{"packages":{"node_modules/pg":{"license":"MIT","resolved":"https://x/pg.tgz"}}}',
    },
    'known dependencies',
    'package-lock.json',
  ],
  [
    'a rule of OCPI that no test names',
    {
      'libs/ocpi-conformance/src/rules.ts': '',
      'libs/ocpi/src/ids.test.ts': "test('TRN-72 ids compare without regard to case', () => {});",
    },
    'proven rules of OCPI',
    'scripts/tidy/unproven.ts',
  ],
  [
    'a test that names a rule of OCPI that there is not',
    { 'libs/ocpi-conformance/src/rules.ts': '', 'libs/ocpi/src/ids.test.ts': "test('TRN-99 all is well', () => {});" },
    'proven rules of OCPI',
    'libs/ocpi/src/ids.test.ts:1',
  ],
  [
    'a page of proven rules that is not what the tests say',
    { 'libs/ocpi-conformance/src/rules.ts': '', 'docs/ocpi-conformance.md': '' },
    'proven rules of OCPI',
    'docs/ocpi-conformance.md',
  ],
];

test.each(BROKEN)('%s is found', (_, files, rule, at) => {
  expect(findings(files)).toContainEqual(expect.objectContaining({ rule, at }));
});

test.each<[string, Record<string, string>]>([
  [
    'a long file that says why',
    { 'libs/bus/src/bus.ts': `// tidy: long because it is one table\n${lines(401)}` },
  ],
  ['a lib through its barrel', { 'libs/due/src/due.ts': "import { pool } from '#postgres';" }],
  [
    'a host that imports services',
    {
      'services/all-in-one/project.json': project('host', 'portal'),
      'services/all-in-one/src/start.ts': "import { start } from '../../portal/src/start.ts';",
    },
  ],
  [
    'test servers in a test',
    {
      'libs/due/project.json': project('lib'),
      'libs/due/test/due.test.ts': "import { natsUrl } from '#test-servers';",
    },
  ],
  [
    'a skipped test with its reason',
    { 'libs/x/src/x.test.ts': "// because the KurrentDB store is not there yet\ntest.skip('x');" },
  ],
  [
    'an instant out of a command',
    { 'services/cdr-ledger/src/cdr.ts': `${DECIDER}const at = new Date(command.at);` },
  ],
  [
    'a shipped package with a choice of licences',
    {
      'package-lock.json': '{"packages":{"node_modules/deep":{"license":"(GPL-2.0 OR MIT)"}}}',
    },
  ],
])('%s is in order', (_, files) => {
  expect(findings(files).map(told)).toEqual([]);
});

test('every rule has a fixture that fails', () => {
  const seen = new Set(BROKEN.map(([, , rule]) => rule));
  for (const rule of RULES) {
    const found = BROKEN.some(([, files, name]) =>
      rule(new Map(Object.entries(files))).some((f) => f.rule === name),
    );
    expect(found, rule.name).toBe(true);
  }
  expect(seen.size).toBe(RULES.length);
});

function findings(files: Record<string, string>): Finding[] {
  return tidy(new Map(Object.entries(files)));
}

test('with whom a service talks follows from the contracts that it and its libs import', () => {
  const talks = talksOf(new Map(Object.entries({
    'libs/contracts/src/locations.ts': `const context = 'locations';
export const find = ask({
  context,
  verb: 'find',
});
export const found = tell({
  context,
  thing: 'evse',
  happened: 'found',
});
export const unlock = ask({
  context: 'ocpp-gateway',
  verb: 'unlock',
  to: ({ id }) => id,
});
export function preview(service: Forgetter) {
  return ask({
    context: service,
    verb: 'preview',
  });
}
`,
    'libs/contracts/src/sessions.ts': "export const unlock = ask({\n  context: 'sessions',\n  verb: 'unlock',\n});\n",
    'libs/erasure/src/erasing.ts': "import {\n  found, preview,\n} from '#contracts/locations';\n",
    'services/locations/src/main.ts': "import { find, found } from '#contracts/locations';\n",
    'services/portal/src/main.ts': '',
    'services/portal/src/doors.ts': "import { type Find, find, unlock } from '#contracts/locations';\nimport { forget } from '#erasure';\n",
    'services/portal/src/doors.test.ts': "import { preview } from '#contracts/locations';\n",
    'services/sessions/src/main.ts': "import { preview } from '#contracts/locations';\n",
  })));
  expect(talks).toEqual({
    portal: { contexts: ['portal'], tells: [], asks: ['locations.find', 'ocpp-gateway.unlock.*'], hears: ['locations.evse.found'] },
    sessions: { contexts: ['sessions', 'partner-sessions'], tells: [], asks: ['*.preview'], hears: [] },
  });
});
