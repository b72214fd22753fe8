import { randomBytes, randomInt } from 'node:crypto';

export const secret = (): string => randomBytes(18).toString('base64url');

/** No two operators may issue the same: two platforms of examples would refuse each other's. */
export const appUid = (): string => `APP-${String(randomInt(10 ** 10)).padStart(10, '0')}`;

/** The roamwatt.yaml that the first start makes: a small operator with one site. Its secrets are its own. */
export function exampleSettings(): string {
  return `# The settings of your platform. Change them and start again; what you change is taken over, and what
# partners have to know is told to them. OCPI objects are written in OCPI's own field names, without
# country_code, party_id, status and last_updated, which the platform fills in.

# Who you are to the networks you roam with. Ask your national registry for a party id of your own.
party:
  country_code: CA           # ISO 3166-1 alpha-2
  party_id: RWT              # three letters or digits
  name: My Charging Network
  roles: [CPO, EMSP]         # CPO runs chargers, EMSP has drivers
  currency: CAD

# What charging costs. Prices are excluding VAT, per kWh (ENERGY), per hour (TIME) or once (FLAT).
tariffs:
  - id: LEVEL-2
    currency: CAD
    type: REGULAR
    elements:
      - price_components:
          - { type: ENERGY, price: 0.24, vat: 5, step_size: 1 }
          - { type: TIME, price: 1.50, vat: 5, step_size: 1 }

# Where people charge. \`station\` and \`station_connector\` say which charger it is (see below).
locations:
  - id: SITE-1
    name: My first site
    publish: true            # false: partners are told, and show it to nobody; private: true: they are not even told
    address: 3700 Willingdon Avenue
    city: Burnaby
    state: BC
    postal_code: V5G 3H2
    country: CAN             # ISO 3166-1 alpha-3
    coordinates: { latitude: "49.25120", longitude: "-123.00310" }   # text, 5 to 7 decimals
    time_zone: America/Vancouver
    evses:
      - uid: "1"
        evse_id: CA*RWT*E1
        capabilities: [REMOTE_START_STOP_CAPABLE, RFID_READER]
        station: STATION-1
        # meter_standing: approved         # with Measurement Canada: approved, dispensation or none; a price per kWh is checked by it
        connectors:
          - id: "1"
            station_connector: 1
            standard: IEC_62196_T1       # J1772; CCS1 is IEC_62196_T1_COMBO
            format: CABLE
            power_type: AC_2_PHASE       # 208 V between two phases
            max_voltage: 208
            max_amperage: 32
            max_electric_power: 6656     # W; without it a limit that a partner sets in W counts both phases, and is half
            tariff_ids: [LEVEL-2]

# The chargers that may connect, by OCPP 1.6 over WebSocket with Basic authentication.
stations:
  - { id: STATION-1, password: ${secret()} }

# Feeds that carry less than all their chargers together: each gets its share, never more than the feed.
sites:
  - id: SITE-1-FEED
    feeder: { name: Level-2 panel, limit_a: 32, voltage_v: 208 }
    fail_safe_a: 6           # what a charger falls back to when it hears nothing; together at most the limit
    chargers:
      - { station: STATION-1, connector: 1, max_a: 32 }

# The public keys of meters that sign what they measure, as printed on them: every bill is checked by them.
# meters:
#   - { evse_uid: "1", public_key: 3059301306072a8648ce3d020106082a8648ce3d030107034200… }

# Your own drivers, who may charge at your partners' stations, too.
drivers:
  - email: driver@example.com
    password: ${secret()}
    name: First driver
    contract_id: CA-RWT-C00000001-X
    tokens:
      - { uid: ${appUid()}, type: APP_USER }

# What your drivers pay: a plan's price for each charge, booked on their accounts. Without it no accounts are kept.
# retail:
#   default_plan: plus
#   limits: { CAD: '200.00' }    # what may be owed; 0: prepaid
#   plans:
#     - id: plus
#       name: Plus
#       versions:
#         - { from: '2026-01-01T08:00:00Z', kind: mark-up, per_session: { CAD: '0.50' }, percent: '5' }

portal:
  operator_keys: [${secret()}]   # sent as X-Api-Key to the operator's part of the portal

ocpi:
  allow_private_urls: false  # true lets partners' URLs be http and point into private networks, such as a
                             # second platform on this machine: for tests only
`;
}
