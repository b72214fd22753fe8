import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { location, oasis, session, tariff as charged, token } from '../../cdr-ledger/test/charge.ts';
import { type TestLedger, testLedger } from '../../cdr-ledger/test/ledger.ts';
import { VERBS } from '../src/verbs.ts';
import { Folder, PROGRAM } from './command.ts';
import { byTheClock, cdr } from './examples.ts';

// What a new user does: copies an example of a help text into a shell, where files of these names lie.

let there: TestLedger;
let folder: Folder;
/** Where nothing listens, nor comes to: systems hand out no port below 1024. */
const nobody = '127.0.0.1:2';

beforeAll(async () => {
  folder = new Folder();
  mkdirSync(join(folder.path, 'bin'));
  mkdirSync(join(folder.path, 'tariffs'));
  folder.write('bin/npx', `#!/bin/sh\n[ "$1" = roamwatt ] || exit 9\nshift\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  chmodSync(join(folder.path, 'bin/npx'), 0o755);
  folder.write('cdr.json', cdr);
  folder.write('cdrs.jsonl', `${JSON.stringify(cdr)}\n${JSON.stringify(cdr)}\n`);
  writeFileSync(join(folder.path, 'cdrs.jsonl.gz'), gzipSync(`${JSON.stringify(cdr)}\n`));
  folder.write('tariff.json', byTheClock);
  folder.write('tariffs/one.json', cdr.tariffs[0]);
  folder.write('tariffs/two.json', cdr.tariffs[0]);
  there = await testLedger();
  await there.ledger.issue({ session: { ...session, id: 'S-1' }, location, tariff: charged, tariffVersion: 1, token, energyWh: '6000' });
  there.clock.set('2022-02-03T09:00:00Z');
  await vi.waitUntil(async () => (await there.proofs.heads()).at(-1)?.head.entries === 1, { timeout: 60_000 });
  folder.write('ledger.jsonl', (await there.exporting.page()).lines.toString());
  folder.write('accounts.jsonl', '');
  folder.write('operator.pub', `${there.keys[0]}\n`);
  folder.write('proof.json', await there.proofs.receipt(oasis, 'S-1-1', true));
});
afterAll(async () => {
  await there?.close();
  folder?.remove();
});

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

const run = (line: string) =>
  new Promise<Ran>((resolve) => {
    const { PATH = '', ...env } = process.env;
    const child = execFile('sh', ['-c', line], {
      cwd: folder.path,
      env: {
        ...env, PATH: `${join(folder.path, 'bin')}:${PATH}`, ROAMWATT_OPERATOR_KEY: 'of-nobody', ROAMWATT_PORTAL_URL: `http://${nobody}`,
      },
    }, (_error, out, err) => resolve({ status: child.exitCode, out, err }));
  });

/** To where nothing listens, whoever is there by its printed address. */
const toNobody = (line: string) =>
  line
    .replaceAll(/127\.0\.0\.1:(8080|5432)/g, nobody)
    .replaceAll(/https:\/\/\w+\.example/g, `http://${nobody}`)
    .replaceAll('0.0.0.0:9000', '127.0.0.1:0');

const FOR_FILES = ['price', 'explain', 'lint', 'quote', 'ledger verify'];

test.each(Object.keys(VERBS))('each example of npx roamwatt %s --help runs as it is printed', { timeout: 120_000 }, async (name) => {
  const { examples } = await VERBS[name]!.load();
  for (const [line] of examples) {
    expect(line).not.toContain('…');
    const { status, out, err } = await run(toNobody(line));
    const ran = `${line}\n${err}`;
    if (FOR_FILES.includes(name)) {
      expect(err, ran).toBe('');
      expect(status === 0 || (name === 'lint' && status === 1), ran).toBe(true);
      expect(out !== '' || line.includes('>'), ran).toBe(true);
    } else {
      // Nobody answers there, and that is all that is wrong.
      expect(status, ran).toBe(1);
      expect(`${out}${err}`, ran).toMatch(new RegExp(`${nobody}|accounts\\.jsonl: not restored`));
      expect(err, ran).not.toContain('See: npx roamwatt');
    }
  }
});
