import { once } from 'node:events';
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ExportVerdict, verifyExport, type VerifyOptions } from '#chain';

/** Below it a second processor is not worth starting. */
const PARALLEL_FROM_BYTES = 128 << 20;
const CHUNK_BYTES = 1 << 20;

/** Of these many texts the worker hashes all but one; the rest is hashed beside chain and tree. */
export const SHARES = 4;

export interface FileOptions extends Omit<VerifyOptions, 'hashes'> {
  readonly onRead?: (bytes: number) => void;
  /** 0: in any case. */
  readonly parallelFromBytes?: number;
}

/**
 * Verifies the export in a file. A large one is hashed on two processors; when that finds anything
 * wrong, it is read again on one, which says what and where. Errors of reading are passed on.
 */
export async function verifyFile(file: string, options: FileOptions = {}): Promise<ExportVerdict> {
  const { onRead, parallelFromBytes = PARALLEL_FROM_BYTES, ...verifying } = options;
  const stat = statSync(file);
  // A processor that is busy with other work is none.
  const isAnyIdle = availableParallelism() > 1 && (loadavg()[0] ?? 0) < availableParallelism();
  const isLarge = stat.isFile() && stat.size >= parallelFromBytes && (isAnyIdle || parallelFromBytes === 0);
  if (isLarge) {
    const [verdict, areTextsIntact] = await Promise.all([
      verifyExport(bytesOfFile(file, onRead), { ...verifying, hashes: (n) => n % SHARES === 0 }),
      textsOnAnotherProcessor(file),
    ]);
    if (verdict.damage === undefined && areTextsIntact) return verdict;
  }
  return verifyExport(bytesOfFile(file, isLarge ? undefined : onRead), verifying);
}

/** A file's bytes, piece by piece: each is there until the next one is asked for. */
export async function* bytesOfFile(
  file: string,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const handle = await open(file);
  try {
    // Read on while the piece before is worked on. New memory for each would cost as much as the reading.
    const pieces = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
    let coming = handle.read(pieces[0]!);
    for (let n = 1; ; n += 1) {
      const { bytesRead, buffer } = await coming;
      if (bytesRead === 0) return;
      coming = handle.read(pieces[n % 2]!);
      coming.catch(() => {});
      yield buffer.subarray(0, bytesRead);
      onRead(bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** False also when the worker fails: then this processor does all of it. */
async function textsOnAnotherProcessor(file: string): Promise<boolean> {
  const isSource = import.meta.url.endsWith('.ts');
  const worker = new Worker(new URL(`./verify-texts.${isSource ? 'ts' : 'js'}`, import.meta.url), {
    workerData: { file },
    ...(isSource ? { execArgv: ['--conditions=source'] } : {}),
  });
  try {
    const [answer] = (await once(worker, 'message')) as [unknown];
    return answer === true;
  } catch {
    return false;
  } finally {
    await worker.terminate();
  }
}
