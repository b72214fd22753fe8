import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Each test starts processes, which takes long on a slow machine.
/** As it is installed: compiled, which `npm test` does before all. From the sources a start costs five times as much. */
export const PROGRAM = join(import.meta.dirname, '../../../dist/services/cli/src/main.js');

export interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** The real command in a process of its own; its folder is removed with it. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'roamwatt-cli-'));

  /** Text as it is; anything else as JSON. */
  write(name: string, content: unknown): string {
    const text = typeof content === 'string' ? content : JSON.stringify(content, undefined, 2);
    writeFileSync(join(this.path, name), text);
    return name;
  }

  async run(args: readonly string[], stdin = '', flags: readonly string[] = []): Promise<Run> {
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
