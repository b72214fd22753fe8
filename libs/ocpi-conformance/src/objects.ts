import {
  type Cdr, creditCdr, exampleLocation, exampleTariff, exampleToken, type Location, type Party, type Session, type Tariff,
  type Token,
} from '#ocpi';
import type { Bench } from './bench.ts';

// What the kit pushes: nothing that costs anybody anything. A charge is of a cent, and is credited.

export function kitLocation(bench: Bench): Location {
  const at = bench.tick();
  const evses = exampleLocation.evses!.map((evse) => ({
    ...evse, uid: bench.id(evse.uid), status: 'INOPERATIVE' as const, last_updated: at,
    evse_id: `${bench.party.country_code}*${bench.party.party_id}*E${bench.run}${evse.uid.replace('-', '')}`,
    connectors: evse.connectors.map(({ tariff_ids: _, ...connector }) => ({ ...connector, last_updated: at })),
  }));
  return { ...exampleLocation, ...bench.party, id: bench.id('LOC'), name: 'Conformance kit', publish: false, evses, last_updated: at };
}

export function kitTariff(bench: Bench, id = 'TARIFF'): Tariff {
  const elements = [{ price_components: [{ type: 'ENERGY' as const, price: 0.1, step_size: 1 }] }];
  return { ...exampleTariff, ...bench.party, id: bench.id(id), elements, last_updated: bench.tick() };
}

/** Not valid, and so good for no charge. */
export function kitToken(bench: Bench, uid: string, more: Partial<Token> = {}): Token {
  return {
    ...exampleToken,
    ...bench.party,
    uid: bench.id(uid),
    contract_id: `${bench.party.country_code}-KIT-${bench.run}`,
    issuer: 'Conformance kit',
    valid: false,
    whitelist: 'NEVER',
    last_updated: bench.tick(),
    ...more,
  };
}

function charged(bench: Bench, token: Party) {
  const endMs = Math.floor(bench.options.now() / 1_000) * 1_000 - 3_600_000;
  const text = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
  return {
    ...bench.party,
    start_date_time: text(endMs - 360_000),
    end_date_time: text(endMs),
    cdr_token: {
      ...token,
      uid: bench.id('DRIVER'),
      type: 'RFID' as const,
      contract_id: `${token.country_code}-${token.party_id}-${bench.run}`,
    },
    auth_method: 'WHITELIST' as const,
    currency: exampleTariff.currency,
  };
}

export function kitSession(bench: Bench, id: string): Session {
  const { end_date_time: _, ...begun } = charged(bench, bench.theirParty('EMSP'));
  return {
    ...begun, id: bench.id(id), kwh: 0, location_id: bench.id('LOC'), evse_uid: bench.id('DC1'), connector_id: '1', status: 'ACTIVE',
    last_updated: bench.tick(),
  };
}

/** 0.1 kWh at 0.10 a kWh. */
export function kitCdr(bench: Bench, id: string): Cdr {
  const ended = charged(bench, bench.theirParty('EMSP'));
  const { name, address, city, country, coordinates, evses } = exampleLocation;
  const { standard, format, power_type } = evses![0]!.connectors[0]!;
  return {
    ...ended,
    id: bench.id(id),
    session_id: bench.id(`S-${id}`),
    cdr_location: {
      id: bench.id('LOC'), ...(name === undefined ? {} : { name }), address, city, country, coordinates,
      evse_uid: bench.id('DC1'), evse_id: `${bench.party.country_code}*${bench.party.party_id}*E${bench.run}DC1`, connector_id: '1',
      connector_standard: standard, connector_format: format, connector_power_type: power_type,
    },
    tariffs: [kitTariff(bench)],
    charging_periods: [{
      start_date_time: ended.start_date_time, tariff_id: bench.id('TARIFF'),
      dimensions: [{ type: 'ENERGY', volume: 0.1 }, { type: 'TIME', volume: 0.1 }],
    }],
    total_cost: { excl_vat: 0.01 },
    total_energy: 0.1,
    total_energy_cost: { excl_vat: 0.01 },
    total_time: 0.1,
    last_updated: bench.tick(),
  };
}

export function kitCredit(bench: Bench, cdr: Cdr): Cdr {
  return creditCdr(cdr, bench.tick());
}
