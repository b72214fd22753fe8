// Loaded into every program that run.mjs starts: when run.mjs is killed, and cannot pass that on,
// the program is asked to stop as if by SIGTERM.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 1000);
  timer.unref();
}
