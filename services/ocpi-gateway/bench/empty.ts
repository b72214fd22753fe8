import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { readBytes, serverOptions } from '../src/ocpi-server.ts';

/* The gateway's HTTP server as Fastify alone: it asks nobody who they are, reads no body, and does nothing. */

const app = fastify(serverOptions);
readBytes(app);
const nothing = JSON.stringify({ status_code: 1000, timestamp: '2022-02-01T17:00:00Z' });
app.patch('/ocpi/2.2.1/receiver/locations/:country_code/:party_id/:location_id/:evse_uid', (_request, reply) =>
  reply.header('Content-Type', 'application/json; charset=utf-8').send(nothing));
await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ ready: 'empty', urls: { ocpi: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` } });
process.on('SIGTERM', () => process.exit(0));
