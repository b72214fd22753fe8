import { randomUUID } from 'node:crypto';
import { connectBus, startRelay, told, type TellSource, type ToldRow } from '#bus';
import { evseStatusChanged } from '#contracts/locations';
import { exampleLocation } from '#ocpi';

/*
 * Stands for the service that tells of EVSEs, in a process of its own: on a number from its parent so many changes, of
 * all Locations in turn. It answers with the time, epoch ms, of the oldest of those that are still the newest of their
 * Location. Its log is in memory, since what is measured is who hears of it.
 */

const { natsUrl, platform, locations } = JSON.parse(process.argv[2]!) as { natsUrl: string; platform: string; locations: number };
const rows: ToldRow[] = [];
let last = 0n;
let wake = () => {};
const log: TellSource = {
  context: 'locations',
  readAfter: async (after) => ({ rows: rows.filter(({ position }) => position > after), position: last, end: true }),
  async follow(_after, handle, signal) {
    signal.addEventListener('abort', () => wake());
    while (!signal.aborted) {
      const page = { rows: rows.splice(0), position: last, end: true };
      if (page.rows.length > 0) await handle(page);
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  },
  idAt: async () => undefined,
  positionBefore: async () => 0n,
};
startRelay(await connectBus({ natsUrl, platform, service: 'bench' }), log);

const [ID, AT] = ['the-id', 'the-instant'];
const texts = { AVAILABLE: textWith('AVAILABLE'), CHARGING: textWith('CHARGING') };
let turn = 0;
const toldMs: number[] = [];
process.on('message', (count: number) => {
  rows.push(...Array.from({ length: count }, () => change()));
  wake();
  process.send!({ since: toldMs.at(-locations) });
});
process.on('disconnect', () => process.exit(0));
process.send!({ ready: true });

function change(): ToldRow {
  const id = `L-${turn % locations}`;
  const status = Math.floor(turn / locations) % 2 === 0 ? 'AVAILABLE' : 'CHARGING';
  turn += 1;
  toldMs.push(Date.now());
  const at = new Date(toldMs.at(-1)!).toISOString();
  const { key, bytes } = told(evseStatusChanged, {
    own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId: id, evseUid: exampleLocation.evses![0]!.uid, status, lastUpdated: at,
    locationJson: Buffer.from(texts[status].replaceAll(AT, at).replace(ID, id)),
  });
  last += 1n;
  return { position: last, id: randomUUID(), key, kind: `${evseStatusChanged.thing}.${evseStatusChanged.happened}.v1`, bytes, at };
}

/** Made before it is measured: who tells has it in a row. */
function textWith(status: 'AVAILABLE' | 'CHARGING'): string {
  const evses = exampleLocation.evses!.map((evse, n) => (n === 0 ? { ...evse, status, last_updated: AT } : evse));
  return JSON.stringify({ ...exampleLocation, id: ID, evses, last_updated: AT });
}
