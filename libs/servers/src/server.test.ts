import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removePostgres, startPostgres } from './postgres.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-servers-'));
});
afterEach(() => {
  for (const name of ['postgres', '']) removePostgres(join(dir, name));
});

const PROGRAM = `
  const { startNats, startPostgres } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))});
  const dir = process.argv[1];
  const servers = await Promise.all([startPostgres({ dir: dir + '/postgres', passing: true }), startNats({ dir: dir + '/nats' })]);
  console.log(JSON.stringify(servers.map((server) => server.pid)));
  setInterval(() => {}, 1000);
  process.stdin.on('data', () => process.exit(0)).on('end', () => process.exit(0));
`;

test.each(['SIGKILL', 'SIGTERM', 'exit'])(
  'servers end with the program that started them: %s',
  async (way) => {
    const program = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const pids = JSON.parse(await firstLine(program)) as number[];
    expect(pids.filter(isAlive)).toHaveLength(2);
    if (way === 'exit') program.stdin?.write('end\n');
    else program.kill(way as NodeJS.Signals);
    await new Promise((resolve) => program.once('exit', resolve));

    // Taken up again at once, while the old server may still be stopping.
    const again = await startPostgres({ dir: join(dir, 'postgres'), passing: true });
    await again.stop();
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  },
);

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

async function firstLine(program: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    program.stdout?.on('data', (data) => {
      text += data;
      if (text.includes('\n')) resolve(text);
    });
    program.once('exit', (status) =>
      reject(new Error(`The program ended with ${status} before its servers ran.`)),
    );
  });
}
