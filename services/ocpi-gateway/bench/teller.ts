import { busMigrations, connectBus, outbox, startRelay, told } from '#bus';
import { toJsonBytes } from '#contracts';
import { evseStatusChanged } from '#contracts/locations';
import { exampleLocation } from '#ocpi';
import { openDatabase } from '#postgres';

/*
 * The service that tells of EVSEs, in a process of its own: on a number from its parent so many changes, of all
 * Locations in turn. It answers with the time, epoch ms, of the oldest of those that are still the newest of their Location.
 */

const { databaseUrl, natsUrl, platform, locations } = JSON.parse(process.argv[2]!) as {
  databaseUrl: string; natsUrl: string; platform: string; locations: number;
};
const AT_ONCE = 500;
const bus = await connectBus({ natsUrl, platform, service: 'bench' });
const db = await openDatabase({ url: databaseUrl, schema: 'locations', migrations: busMigrations });
const log = outbox('locations', db);
startRelay(bus, log);

let turn = 0;
const toldMs: number[] = [];
process.on('message', (count: number) => void tell(count).then(() => process.send!({ since: toldMs.at(-locations) })));
process.on('disconnect', () => process.exit(0));
process.send!({ ready: true });

async function tell(count: number): Promise<void> {
  for (let done = 0; done < count;) {
    const facts = Array.from({ length: Math.min(AT_ONCE, count - done) }, () => change());
    await db.tx((tx) => log.tell(tx, facts));
    done += facts.length;
  }
}

function change() {
  const id = `L-${turn % locations}`;
  const status = Math.floor(turn / locations) % 2 === 0 ? 'AVAILABLE' : 'CHARGING';
  turn += 1;
  toldMs.push(Date.now());
  const at = new Date(toldMs.at(-1)!).toISOString();
  const evses = exampleLocation.evses!.map((evse, n) => (n === 0 ? { ...evse, status: status as 'CHARGING', last_updated: at } : evse));
  return told(evseStatusChanged, {
    own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId: id, evseUid: evses[0]!.uid, status, lastUpdated: at,
    locationJson: toJsonBytes({ ...exampleLocation, id, evses, last_updated: at }),
  });
}
