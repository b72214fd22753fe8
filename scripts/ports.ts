import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LOWEST = 10_240;
const handedOut = new Set<number>();

/**
 * Ports of 127.0.0.1 that are free now and that no other call in this process gets. They lie below
 * those that the system gives to outgoing connections: a service that starts a second later, or
 * again after it died, still finds its own free.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const highest = lowestOutgoing();
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > 1_000) throw new Error(`there are no ${count} free ports from ${LOWEST} to ${highest}`);
    const port = randomInt(LOWEST, highest);
    if (handedOut.has(port) || !(await isFree(port))) continue;
    handedOut.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Where Linux's ephemeral ports begin. */
function lowestOutgoing(): number {
  const usual = 32_768;
  try {
    const [low] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    return Math.max(LOWEST + 1_000, Number(low) || usual);
  } catch {
    return usual;
  }
}
