import { parentPort, workerData } from 'node:worker_threads';
import { areTextsIntact } from '#chain';
import { bytesOfFile, SHARES } from './verify-file.ts';

/** The other processor of verify-file.ts: answers whether the texts of its share are intact. */
const { file } = workerData as { file: string };
const isMine = (n: number) => n % SHARES !== 0;
parentPort!.postMessage(await areTextsIntact(bytesOfFile(file), isMine).catch(() => false));
