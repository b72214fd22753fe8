import { createServer, type AddressInfo } from 'node:net';

/**
 * Ports of 127.0.0.1 that are free now and differ from each other. Somebody may take one before it
 * is used; its server then says so by name and ends.
 */
export async function freePorts(count: number): Promise<number[]> {
  const probes = await Promise.all(
    Array.from({ length: count }, async () => {
      const probe = createServer();
      await new Promise<void>((ready, failed) => probe.once('error', failed).listen(0, '127.0.0.1', ready));
      return probe;
    }),
  );
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => new Promise((closed) => probe.close(closed))));
  return ports;
}
