import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { roamwatt } from '../src/roamwatt.ts';
import { Output } from '../src/terminal.ts';

/** As it is installed: compiled, which `npm test` does before all. From the sources a start costs five times as much. */
export const PROGRAM = join(import.meta.dirname, '../../../dist/services/cli/src/main.js');

export interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Where a user calls the command; removed with what lies in it. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'roamwatt-cli-'));

  /** Text as it is; anything else as JSON. */
  write(name: string, content: unknown): string {
    const text = typeof content === 'string' ? content : JSON.stringify(content, undefined, 2);
    writeFileSync(join(this.path, name), text);
    return name;
  }

  /** The command in this process: a process for each line takes ten times as long. */
  async run(args: readonly string[], stdin = ''): Promise<Run> {
    const [out, err] = [[] as string[], [] as string[]];
    const stdout = new Writable({
      write: (chunk, _, done) => {
        out.push(String(chunk));
        done();
      },
    });
    const before = process.cwd();
    process.chdir(this.path);
    try {
      const status = await roamwatt(args, {
        stdin: Readable.from([Buffer.from(stdin)]), out: new Output(stdout), err: (line) => void err.push(`${line}\n`),
        status: undefined, now: Date.now,
      });
      return { status, out: out.join(''), err: err.join('') };
    } finally {
      process.chdir(before);
    }
  }

  /** The real command in a process of its own, as a Node with these flags runs it. */
  async program(args: readonly string[], stdin = '', flags: readonly string[] = []): Promise<Run> {
    const child = spawn(process.execPath, [...flags, PROGRAM, ...args], {
      cwd: this.path,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const [out, err] = [texts(child.stdout), texts(child.stderr)];
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    child.stdin.on('error', () => {}); // It may end before it has read all.
    child.stdin.end(stdin);
    return { status: await ended, out: await out, err: await err };
  }

  /** Runs with --json; what it printed, one object a line. */
  async json(args: readonly string[], stdin = ''): Promise<Record<string, any>[]> {
    return jsonLines((await this.run([...args, '--json'], stdin)).out);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function jsonLines(out: string): Record<string, any>[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, any>);
}

async function texts(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
