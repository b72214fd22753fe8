import type { AddressInfo } from 'node:net';
import { connectBus, outbox } from '#bus';
import { GrantRows } from '#grants';
import { openDatabase } from '#postgres';
import { readSettings } from '#settings';
import { log as logOf, tracer as tracerOf } from '#telemetry';
import { ocpiSettings } from '../src/config.ts';
import { migrations } from '../src/migrations.ts';
import { ocpiServer } from '../src/ocpi-server.ts';
import { Calls } from '../src/partners/calls.ts';
import { Dialects } from '../src/partners/dialects.ts';
import { Partners } from '../src/partners/partners.ts';
import { secretsOf } from '../src/partners/secrets.ts';
import { Sightings } from '../src/partners/sightings.ts';

/*
 * The gateway's own server before a handler that says success at once: who asks is admitted and looked up, headers
 * and body are read and checked, and it is answered in the envelope. The database is that of a gateway beside it.
 */

const settings = readSettings(process.env);
const { clock, parties, platform, natsUrl } = settings;
const [log, tracer] = [logOf('at-once'), tracerOf('at-once')];
const db = await openDatabase({ url: settings.databaseUrl, schema: 'ocpi_gateway', migrations });
const bus = await connectBus({ natsUrl, platform, service: 'at-once' });
const secrets = secretsOf(settings);
const dialects = new Dialects({ db, bus, grants: new GrantRows(), clock, parties });
const sightings = new Sightings({ db, clock, log });
const ocpi = ocpiSettings(settings);
const calls = new Calls({ settings: ocpi, parties, secrets, tracer, dialects, sightings });
const { versions } = ocpi;
const partners = new Partners({
  db, outbox: outbox('ocpi-gateway', db), calls, secrets, clock, parties, versions, dialects,
  worker: () => ({ wake: () => {}, stop: async () => {} }), versionsUrl: () => '',
});
const app = ocpiServer({
  partners, parties, settings: ocpi, clock, log, tracer, versions, dialects, sightings, publicUrl: () => '',
  handlers: { 'RECEIVER locations PATCH /:country_code/:party_id/:location_id/:evse_uid': async () => ({}) },
});
await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ ready: 'at-once', urls: { ocpi: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` } });
process.on('SIGTERM', () => process.exit(0));
