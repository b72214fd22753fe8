import { setTimeout as sleep } from 'node:timers/promises';
import { traceTree } from '#telemetry';
import { demoAgreement } from './demo-agreement.ts';
import { checkBooks } from './demo-books.ts';
import { fastStation, fleetCard, levelTwoStation } from './demo-settings.ts';
import type { Screen } from './demo-screen.ts';
import type { Stage } from './demo-stage.ts';
import { watchFeeder } from './demo-feeder.ts';
import { type Charge, type FoundEvse, patience, Portal, registerWith } from './portal.ts';

const BURNABY = { latitude: 49.2488, longitude: -123.0016 };
const CHARGE_FOR_KWH = 2.5;
const FEED_A = 192;

/** The story, scene by scene; what it finds goes on the screen as checks. */
export async function playDemo(stage: Stage, screen: Screen, startedAtMs: number): Promise<'played'> {
  const oasis = Portal.operator(stage.oasis.portalUrl, stage.oasis.settings.portal.operator_keys[0]!);
  const plunk = Portal.operator(stage.plunk.portalUrl, stage.plunk.settings.portal.operator_keys[0]!);
  const feeder = watchFeeder(stage.chargers, stage.oasis.settings.sites[0]!.chargers.map(({ station }) => station));

  screen.step('The platforms meet: TOKEN_A, versions, details, credentials');
  await meet(oasis, plunk, screen, startedAtMs);

  screen.step('Carbon Plunk learns of the tariffs and the EVSEs, Energy OASIS of the tokens');
  for (const { id } of stage.oasis.settings.stations) await stage.chargers.until({ event: 'booted', station: id });
  const [averySettings, blakeSettings] = stage.plunk.settings.drivers as readonly Driver[] as readonly [Driver, Driver];
  const avery = await Portal.driver(stage.plunk.portalUrl, averySettings.email, averySettings.password);
  const found = await findEvses(avery, screen);

  screen.step('Avery finds a free Level-2 EVSE near by, plugs in, and starts a charge from the app');
  const evse = found.find(({ evse_uid }) => evse_uid.startsWith('L2'))!;
  const station = levelTwoStation(Number(evse.evse_uid.slice(3)));
  showEvse(screen, evse);
  await stage.chargers.do({ do: 'plug-in', station, connector: 1, car: 'leaf', soc: 35 });
  const { charge_id: chargeId } = await avery.post<{ charge_id: string }>('/v1/charges', {
    country_code: evse.country_code, party_id: evse.party_id, location_id: evse.location_id, evse_uid: evse.evse_uid,
  });
  const others = fleetStations(station);
  const fleet = fleetArrives(stage, others.slice(0, 4));

  screen.step('Blake taps a Carbon Plunk card at a fast charger: one card everywhere');
  const blakes = await blakeTaps(stage, blakeSettings, screen);

  screen.step('Avery watches; meanwhile four, then all ten cars charge on a feed that carries six');
  const averysSession = await watchCharge(avery, chargeId, {
    screen,
    atHalf: async () => {
      await fleet;
      const five = await feeder.settled(5, 32);
      screen.check('five cars: nobody is held back', five.holds, five.detail);
      await fleetArrives(stage, others.slice(4));
      const ten = await feeder.settled(10, FEED_A / 10);
      screen.check(`ten cars: each has its share of ${FEED_A} A, whole amperes, none between 0 and 6`, ten.holds, ten.detail);
    },
  });
  await stage.chargers.do({ do: 'unplug', station, connector: 1 });
  const feed = feeder.verdict(FEED_A);
  screen.check('the limits at the ten chargers never added up to more than the feed carries', feed.holds, feed.detail);
  screen.check('Avery saw the charge progress', averysSession.updates >= 4, `${averysSession.updates} updates`);
  const blake = await blakes.charged;
  await fleetLeaves(stage, others);

  await checkBooks({
    stage, screen, oasis, plunk, avery, blake: blake.portal,
    sessions: { avery: averysSession.session, blake: blake.session },
  });
  if (stage.traceDir) await showTrace(stage, screen, station);
  return 'played';
}

interface Driver {
  readonly email: string;
  readonly password: string;
  readonly tokens: readonly { readonly uid: string }[];
}

async function meet(oasis: Portal, plunk: Portal, screen: Screen, startedAtMs: number): Promise<void> {
  const { partner, versionsUrl } = await registerWith(oasis, plunk);
  screen.line(`   Energy OASIS handed out ${versionsUrl} and a TOKEN_A`);
  screen.check(
    'the handshake is done',
    partner.state === 'registered',
    `OCPI ${partner.version}, ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s from the start`,
  );
  const { partners } = await oasis.get<{ partners: { state: string; name: string }[] }>('/v1/operator/partners');
  screen.check('both sides hold the other as registered', partners.some(({ state }) => state === 'registered'));
  await agree(oasis, plunk, screen);
}

/** Each operator enters the same terms; the fingerprints show that they are. */
async function agree(oasis: Portal, plunk: Portal, screen: Screen): Promise<void> {
  const set = (side: Portal, partner: string) =>
    side.put<{ fingerprint: string }>(`/v1/operator/partners/${partner}/agreement`, demoAgreement);
  const [ours, theirs] = await Promise.all([set(oasis, 'CA/CPK'), set(plunk, 'CA/BCT')]);
  screen.check('both agreed on the same fees, taxes and closing rule', ours.fingerprint === theirs.fingerprint, ours.fingerprint);
}

async function findEvses(avery: Portal, screen: Screen): Promise<FoundEvse[]> {
  const query = new URLSearchParams({
    latitude: String(BURNABY.latitude),
    longitude: String(BURNABY.longitude),
    radius_m: '5000',
    available: 'true',
  });
  const evses = await until(60_000, async () => {
    const answer = await avery.get<{ evses: FoundEvse[] }>(`/v1/evses?${query}`);
    const priced = answer.evses.every(({ connectors }) => connectors.every(({ price }) => price?.quote));
    return answer.evses.length === 12 && priced ? answer.evses : undefined;
  });
  screen.check('twelve EVSEs are found, available and priced', evses !== undefined);
  if (!evses) throw new Error('Carbon Plunk does not know the twelve EVSEs of Energy OASIS with their prices');
  screen.check('a two-cable fast charger is one EVSE with two connectors',
    evses.filter(({ connectors }) => connectors.length === 2).length === 2);
  return evses;
}

function showEvse(screen: Screen, evse: FoundEvse): void {
  const [connector] = evse.connectors;
  screen.line(
    `   ${evse.evse_id ?? evse.evse_uid}, ${evse.name}, ${evse.distance_m} m away: ${connector!.standard}, ${connector!.power_kw} kW`,
  );
  const { price } = connector!;
  screen.line(
    `   ${price!.sentence}${price!.quote ? `; ${price!.quote.energy_kwh} kWh would be about ${price!.quote.incl_vat ?? price!.quote.excl_vat} ${price!.quote.currency}` : ''}`,
  );
}

interface Watched {
  readonly session: NonNullable<Charge['session']>;
  readonly updates: number;
}

/** The progress bar, until enough energy flowed; then stops the charge and waits for its end. */
async function watchCharge(
  driver: Portal,
  chargeId: string,
  { screen, atHalf }: { screen: Screen; atHalf: () => Promise<void> },
): Promise<Watched> {
  const giveUp = patience('the charge', 300);
  const seen = new Set<string>();
  let session: Charge['session'];
  let half: Promise<void> | undefined;
  let stopped = false;
  for await (const charge of driver.watch(chargeId, giveUp)) {
    if (charge.state === 'refused' || charge.state === 'failed')
      throw new Error(`the charge was ${charge.state}: ${charge.message}`);
    session = charge.session ?? session;
    if (!charge.session) {
      screen.line(`   ${charge.state}`);
      continue;
    }
    const { kwh, kw, cost, status, updated_at } = charge.session;
    seen.add(updated_at);
    screen.progress(
      Number(kwh) / CHARGE_FOR_KWH,
      `${updated_at.slice(11, 19)}Z  ${Number(kwh).toFixed(2)} kWh  ${kw ? `${Number(kw).toFixed(1)} kW  ` : ''}${cost ? `${cost.incl_vat ?? cost.excl_vat} ${cost.currency}  ` : ''}${status}`,
    );
    if (Number(kwh) >= CHARGE_FOR_KWH / 4) half ??= atHalf();
    if (Number(kwh) >= CHARGE_FOR_KWH && !stopped) {
      stopped = true;
      await half;
      await driver.post(`/v1/charges/${encodeURIComponent(chargeId)}/stop`);
    }
    if (status === 'COMPLETED') break;
  }
  await half;
  if (session?.status !== 'COMPLETED') throw new Error(`the charge ended as ${JSON.stringify(session)}`);
  screen.check('the charge was started, watched and stopped over OCPI', true);
  return { session, updates: seen.size };
}

/** Resolves when the card is accepted; what it answers is the charge that follows. */
async function blakeTaps(stage: Stage, driver: Driver, screen: Screen) {
  const station = fastStation(1);
  const at = { station, connector: 2 };
  const idTag = driver.tokens[0]!.uid;
  await stage.chargers.do({ do: 'plug-in', ...at, car: 'leaf', soc: 40 });
  await stage.chargers.do({ do: 'tap', ...at, idTag });
  await stage.chargers.until({ event: 'transaction-known', station, status: 'Accepted' });
  screen.line(`   card ${idTag} is accepted at ${station}, connector 2 (CHAdeMO); the car charges`);
  const charged = blakeCharges(stage, driver, { ...at, idTag });
  charged.catch(() => {}); // It is awaited later, and may fail before.
  return { charged };
}

async function blakeCharges(stage: Stage, { email, password }: Driver, tap: { station: string; connector: number; idTag: string }) {
  const { station, connector } = tap;
  await stage.chargers.until((event) => event.station === station && event.event === 'meter' && Number(event['registerWh']) > 0
    && event.at > '2022-02-01T17:20', { withinMs: 60_000 }).catch(() => {});
  const portal = await Portal.driver(stage.plunk.portalUrl, email, password);
  await stage.chargers.do({ do: 'tap', ...tap });
  await stage.chargers.do({ do: 'unplug', station, connector });
  const session = await until(60_000, async () => {
    const { charges } = await portal.get<{ charges: Charge[] }>('/v1/charges');
    return charges.find((charge) => charge.session?.status === 'COMPLETED')?.session;
  });
  if (!session) throw new Error("Blake's charge by card is not completed at Carbon Plunk");
  return { portal, session };
}

function fleetStations(taken: string): string[] {
  return Array.from({ length: 10 }, (_, index) => levelTwoStation(index + 1)).filter((station) => station !== taken);
}

async function fleetArrives(stage: Stage, stations: readonly string[]): Promise<void> {
  await Promise.all(stations.map(async (station, index) => {
    const card = fleetCard(Number(station.slice(-2)));
    await stage.chargers.do({ do: 'plug-in', station, connector: 1, car: index % 2 === 0 ? 'leaf' : 'bolt', soc: 30 });
    await stage.chargers.do({ do: 'tap', station, connector: 1, idTag: card });
    await stage.chargers.until({ event: 'transaction-known', station, status: 'Accepted' });
  }));
}

async function fleetLeaves(stage: Stage, stations: readonly string[]): Promise<void> {
  await Promise.all(stations.map(async (station) => {
    await stage.chargers.do({ do: 'tap', station, connector: 1, idTag: fleetCard(Number(station.slice(-2))) });
    await stage.chargers.do({ do: 'unplug', station, connector: 1 });
  }));
}

async function showTrace(stage: Stage, screen: Screen, station: string): Promise<void> {
  screen.step('One trace of Avery\'s charge: charger, NATS, services, partner, and the partner\'s services');
  await sleep(1_500); // Spans are written in batches.
  const tree = traceTree(stage.traceDir!, (span) => (
    span.name === 'ocpp StopTransaction' && span.attributes['ocpp.station'] === station));
  screen.lines(tree);
  screen.check(
    "the trace reaches from the charger's frame to the partner's services",
    /ocpp StopTransaction/.test(tree) && /POST/.test(tree),
  );
}

/** Asks again and again until there is an answer; undefined when there is none in time. */
export async function until<T>(withinMs: number, ask: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined || Date.now() > deadline) return answer;
    await sleep(100);
  }
}
