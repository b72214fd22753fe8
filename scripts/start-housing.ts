import { appUid, secret } from './start-example.ts';

const residents = ['04A1B2C3D40001', '04A1B2C3D40002', '04A1B2C3D40003'];

/**
 * The roamwatt.yaml of a housing co-op, after Riverbend in British Columbia: one building whose panel is
 * monitored, stalls of its residents and a few for visitors. What OCPI cannot say of one Location are two:
 * the residents' is private and never sent, the visitors' is for everybody's drivers.
 */
export function housingSettings(): string {
  return `# The settings of a housing co-op that charges its residents' cars, and lets visitors charge by any network.
# OCPI objects are written in OCPI's own field names, without country_code, party_id, status and
# last_updated, which the platform fills in.

party:
  country_code: CA
  party_id: RVB
  name: Riverbend Housing Co-operative
  roles: [CPO, EMSP]         # the residents are drivers of its own
  currency: CAD

tariffs:
  - id: RESIDENTS            # what the co-op pays for its energy, and no more
    offered_to: own          # own: your own drivers alone; agreed: whom an agreement grants it to; else everybody
    currency: CAD
    type: REGULAR
    elements: [{ price_components: [{ type: ENERGY, price: 0.12, vat: 5, step_size: 1 }] }]
  - id: VISITORS
    currency: CAD
    type: REGULAR
    elements: [{ price_components: [{ type: ENERGY, price: 0.30, vat: 5, step_size: 1 }] }]

locations:
  - id: RIVERBEND-VISITORS
    name: Riverbend visitor parking
    publish: true
${place}
    opening_times: { twentyfourseven: false, regular_hours: [${hours()}] }
    charging_when_closed: true   # who came in time may leave the car overnight
    evses:
${[1, 2].map((n) => evse(`V${n}`, 'VISITORS')).join('\n')}

  - id: RIVERBEND-RESIDENTS
    name: Riverbend residents' stalls
    private: true            # no partner is ever told of it, asked or not; nor can one start a charge there
    publish_allowed_to:      # whose drivers find it in your app, and nobody else; of partners' cards these alone charge there
${residents.map((uid) => `      - { uid: ${uid}, type: RFID }`).join('\n')}
${place}
    evses:
${residents.map((_, n) => evse(`R${n + 1}`, 'RESIDENTS')).join('\n')}

stations:
${['V1', 'V2', 'R1', 'R2', 'R3'].map((n) => `  - { id: RIVERBEND-${n}, password: ${secret()} }`).join('\n')}

# All of them hang on the building's panel, and share what it can spare.
sites:
  - id: RIVERBEND-PANEL
    feeder: { name: EV panel, limit_a: 80, voltage_v: 208 }
    fail_safe_a: 8
    chargers:
${['V1', 'V2', 'R1', 'R2', 'R3'].map((n) => `      - { station: RIVERBEND-${n}, connector: 1, max_a: 32 }`).join('\n')}

drivers:
${residents.map((uid, n) => `  - email: resident${n + 1}@example.com
    password: ${secret()}
    name: Resident ${n + 1}
    contract_id: CA-RVB-C0000000${n + 1}-X
    tokens:
      - { uid: ${appUid()}, type: APP_USER }
      - { uid: ${uid}, type: RFID }`).join('\n')}

portal:
  operator_keys: [${secret()}]

ocpi:
  allow_private_urls: false
`;
}

const place = `    address: 100 Riverside Drive
    city: Coquitlam
    state: BC
    postal_code: V3K 0A1
    country: CAN
    coordinates: { latitude: "49.23000", longitude: "-122.83000" }
    time_zone: America/Vancouver`;

function hours(): string {
  return [1, 2, 3, 4, 5, 6, 7].map((day) => `{ weekday: ${day}, period_begin: '07:00', period_end: '22:00' }`).join(', ');
}

function evse(stall: string, tariff: string): string {
  return `      - uid: "${stall}"
        evse_id: CA*RVB*E${stall}
        physical_reference: ${stall}
        capabilities: [REMOTE_START_STOP_CAPABLE, RFID_READER]
        station: RIVERBEND-${stall}
        connectors:
          - { id: "1", standard: IEC_62196_T1, format: CABLE, power_type: AC_2_PHASE, max_voltage: 208, max_amperage: 32, max_electric_power: 6656, tariff_ids: [${tariff}] }`;
}
