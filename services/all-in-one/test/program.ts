import { spawn } from 'node:child_process';

/** Node runs TypeScript with these, also what needs more than stripping its types. */
export const SOURCES = ['--conditions=source', '--experimental-transform-types', '--disable-warning=ExperimentalWarning'];

/** A program in a process of its own, to its end. */
export async function runProgram(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => { out += String(data); });
  child.stderr.on('data', (data) => { err += String(data); });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, out, err };
}
