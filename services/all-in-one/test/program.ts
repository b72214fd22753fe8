import { spawn } from 'node:child_process';
import { join } from 'node:path';

const roamwatt = join(import.meta.dirname, '../../../dist/services/cli/src/main.js');

/** The `roamwatt` command, compiled, in a process of its own, to its end. */
export async function runRoamwatt(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [roamwatt, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => { out += String(data); });
  child.stderr.on('data', (data) => { err += String(data); });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, out, err };
}
