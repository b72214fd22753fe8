import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { testPlatform } from '#test-servers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startService } from './start-service.ts';

let taken: Server;
let port: number;
beforeEach(async () => {
  taken = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  ({ port } = taken.address() as AddressInfo);
});
afterEach(() => new Promise((resolve) => taken.close(resolve)));

const nothing = { name: 'portal', migrations: [] };

test('a port that is in use is named with the service and the variable that sets it', async () => {
  const platform = await testPlatform();
  const starting = startService(platform.env, nothing, async () => {
    const own = createServer();
    await new Promise<void>((resolve, reject) => own.once('error', reject).listen(port, '127.0.0.1', resolve));
  });
  await expect(starting).rejects.toThrow(`portal: port ${port} of 127.0.0.1 is in use by another program: set PORTAL_PORT`);
  await platform.drop();
});

test('a database that is not there is named without its password', async () => {
  const platform = await testPlatform();
  await new Promise((resolve) => taken.close(resolve));
  const gone = `127.0.0.1:${port}`;
  await expect(startService({ ...platform.env, DATABASE_URL: `postgres://me:secret@${gone}/db` }, nothing, async () => {}))
    .rejects.toThrow(new RegExp(`^PostgreSQL at ${gone} cannot be used: .*ECONNREFUSED.* DATABASE_URL says`));
  await platform.drop();
});

test('a database that does not let us in is named, too', async () => {
  const platform = await testPlatform();
  const url = new URL(platform.databaseUrl);
  url.password = 'guessed';
  await expect(startService({ ...platform.env, DATABASE_URL: url.href }, nothing, async () => {}))
    .rejects.toThrow(/^PostgreSQL at .* cannot be used: password authentication failed/);
  await platform.drop();
});
