import fc from 'fast-check';
import {
  AuthMethod, Capability, CdrDimensionType, type Cdr, type Connector, ConnectorFormat, ConnectorType, dateTimeOf,
  EnvironmentalImpactCategory, type Evse, Facility, ImageCategory, type Location, ParkingRestriction, ParkingType,
  PowerType, type ReserveNow, type Session, SessionStatus, sessionOnlyDimensions, type StartSession, Status,
  type Tariff, TariffDimensionType, TariffType, type Token, TokenType, WhitelistType,
} from '#ocpi';

// Objects of OCPI 2.2.1, with every field now and then.

const oneOf = <T extends string>(schema: { options: readonly T[] }) => fc.constantFrom(...schema.options);
const some = <T extends string>(schema: { options: readonly T[] }) => fc.uniqueArray(oneOf(schema), { maxLength: 3 });
const id = fc.stringMatching(/^[A-Za-z0-9*-]{1,20}$/);
const words = (max: number) => fc.string({ minLength: 1, maxLength: Math.min(max, 60), unit: fc.constantFrom(...'abcdéß漢 ⚡-') });
const at = fc.integer({ min: 1_600_000_000, max: 1_700_000_000 }).map((s) => dateTimeOf(s * 1_000));
/** Decimal text has up to four decimals in OCPI. */
const amount = fc.integer({ min: -9_999_999, max: 99_999_999 }).map((n) => n / 10_000);
const volume = fc.integer({ min: 0, max: 9_999_999 }).map((n) => n / 1_000);
const texts = fc.array(fc.record({ language: fc.constantFrom('en', 'fr'), text: words(512) }), { maxLength: 2 });
const url = fc.constantFrom('https://oasis.example/a', 'https://oasis.example/b?c=d');
const party = fc.constantFrom({ country_code: 'CA', party_id: 'BCT' }, { country_code: 'DE', party_id: 'ALL' });

/** Any of these fields may be absent. */
const maybe = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
const both = <A, B>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>) => fc.tuple(a, b).map(([x, y]) => ({ ...x, ...y }));

const decimals = (degrees: number) => fc.tuple(fc.integer({ min: -degrees + 1, max: degrees - 1 }), fc.stringMatching(/^[0-9]{5,7}$/))
  .map(([whole, fraction]) => `${whole}.${fraction}`);
const place = fc.record({ latitude: decimals(90), longitude: decimals(180) });
const image = both(
  fc.record({ url, category: oneOf(ImageCategory), type: fc.constant('png') }),
  maybe({ width: fc.integer({ min: 1, max: 99_999 }) }),
);
const business = both(fc.record({ name: words(100) }), maybe({ website: url, logo: image }));
const mix = both(fc.record({ is_green_energy: fc.boolean() }), maybe({
  environ_impact: fc.array(fc.record({ category: oneOf(EnvironmentalImpactCategory), amount: volume }), { maxLength: 2 }),
  supplier_name: words(64),
}));
const time = fc.constantFrom('08:00', '12:30', '23:59');
const hours = fc.oneof(
  fc.record({ twentyfourseven: fc.constant(true) }),
  fc.record({
    twentyfourseven: fc.constant(false),
    regular_hours: fc.array(fc.record({ weekday: fc.integer({ min: 1, max: 7 }), period_begin: time, period_end: time }), { maxLength: 3 }),
    exceptional_closings: fc.array(fc.record({ period_begin: at, period_end: at }), { maxLength: 1 }),
  }),
);

export const connectors: fc.Arbitrary<Connector> = both(
  fc.record({
    id,
    standard: oneOf(ConnectorType),
    format: oneOf(ConnectorFormat),
    power_type: oneOf(PowerType),
    max_voltage: fc.nat(1_000),
    max_amperage: fc.nat(500),
    last_updated: at,
  }),
  maybe({
    max_electric_power: fc.nat(400_000),
    tariff_ids: fc.uniqueArray(id, { maxLength: 3 }),
    terms_and_conditions: url,
  }),
) as fc.Arbitrary<Connector>;

export const evses: fc.Arbitrary<Evse> = both(
  fc.record({
    uid: id,
    status: oneOf(Status),
    connectors: fc.uniqueArray(connectors, { minLength: 1, maxLength: 3, selector: (one) => one.id.toLowerCase() }),
    last_updated: at,
  }),
  maybe({
    evse_id: id,
    capabilities: some(Capability),
    floor_level: words(4),
    coordinates: place,
    physical_reference: words(16),
    directions: texts,
    parking_restrictions: some(ParkingRestriction),
    images: fc.array(image, { maxLength: 2 }),
    status_schedule: fc.array(fc.record({ period_begin: at, status: oneOf(Status) }), { maxLength: 1 }),
  }),
) as fc.Arbitrary<Evse>;

export const locations: fc.Arbitrary<Location> = both(
  both(
    party,
    fc.record({
      id,
      publish: fc.constant(true),
      address: words(255),
      city: words(45),
      country: fc.constantFrom('CAN', 'DEU'),
      coordinates: place,
      time_zone: fc.constant('America/Vancouver'),
      last_updated: at,
      evses: fc.uniqueArray(evses, { maxLength: 3, selector: (one) => one.uid.toLowerCase() }),
    }),
  ),
  maybe({
    name: words(255),
    postal_code: fc.constantFrom('V5G 3H2', '9000'),
    state: words(45),
    related_locations: fc.array(place, { maxLength: 2 }),
    parking_type: oneOf(ParkingType),
    directions: texts,
    operator: business,
    suboperator: business,
    owner: business,
    facilities: some(Facility),
    opening_times: hours,
    charging_when_closed: fc.boolean(),
    images: fc.array(image, { maxLength: 2 }),
    energy_mix: mix,
    publish_allowed_to: fc.array(fc.record({ group_id: id }), { maxLength: 1 }),
  }),
) as fc.Arbitrary<Location>;

const restrictions = maybe({
  start_time: time,
  start_date: fc.constant('2022-02-01'),
  min_kwh: volume,
  max_power: volume,
  min_duration: fc.nat(9_999),
  min_current: volume,
  max_current: volume,
  day_of_week: fc.constant(['MONDAY', 'SUNDAY'] as const),
  reservation: fc.constantFrom('RESERVATION' as const),
});
const price = both(fc.record({ excl_vat: amount }), maybe({ incl_vat: amount }));

export const tariffs: fc.Arbitrary<Tariff> = both(
  both(
    party,
    fc.record({
      id,
      currency: fc.constantFrom('CAD', 'EUR'),
      last_updated: at,
      elements: fc.array(
        both(
          fc.record({
            price_components: fc.array(
              both(
                fc.record({ type: oneOf(TariffDimensionType), price: amount, step_size: fc.nat(3_600) }),
                maybe({ vat: fc.constantFrom(0, 5, 12.5) }),
              ),
              { minLength: 1, maxLength: 2 },
            ),
          }),
          maybe({ restrictions }),
        ),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  ),
  maybe({
    type: oneOf(TariffType),
    tariff_alt_text: texts,
    tariff_alt_url: url,
    min_price: price,
    max_price: price,
    start_date_time: at,
    end_date_time: at,
    energy_mix: mix,
  }),
) as unknown as fc.Arbitrary<Tariff>;

export const tokens: fc.Arbitrary<Token> = both(
  both(
    party,
    fc.record({
      uid: id,
      type: oneOf(TokenType),
      contract_id: id,
      issuer: words(64),
      valid: fc.boolean(),
      whitelist: oneOf(WhitelistType),
      last_updated: at,
    }),
  ),
  maybe({
    visual_number: words(64),
    group_id: id,
    language: fc.constantFrom('en', 'fr'),
    default_profile_type: fc.constantFrom('FAST', 'GREEN'),
    energy_contract: fc.record({ supplier_name: words(64) }),
  }),
) as fc.Arbitrary<Token>;

const cdrToken = both(party, fc.record({ uid: id, type: oneOf(TokenType), contract_id: id }));
const dimension = (types: readonly string[]) => fc.record({ type: fc.constantFrom(...types), volume });
const periods = (types: readonly string[]) =>
  fc.array(
    both(
      fc.record({ start_date_time: at, dimensions: fc.array(dimension(types), { minLength: 1, maxLength: 3 }) }),
      maybe({ tariff_id: id }),
    ),
    { minLength: 1, maxLength: 3 },
  );

/** A Session, and the Location where it is. */
export const sessions: fc.Arbitrary<{ session: Session; location: Location }> = fc
  .tuple(
    locations.filter(({ evses: all }) => (all ?? []).length > 0),
    both(
      fc.record({
        id,
        start_date_time: at,
        kwh: volume,
        cdr_token: cdrToken,
        auth_method: oneOf(AuthMethod),
        currency: fc.constant('CAD'),
        status: oneOf(SessionStatus),
        last_updated: at,
      }),
      maybe({
        end_date_time: at,
        authorization_reference: id,
        meter_id: words(255),
        charging_periods: periods(CdrDimensionType.options),
        total_cost: price,
      }),
    ),
  )
  .map(([location, session]) => {
    const { country_code, party_id, id: location_id } = location;
    const [evse] = location.evses!;
    return {
      location,
      session: {
        ...session,
        country_code,
        party_id,
        location_id,
        evse_uid: evse!.uid,
        connector_id: evse!.connectors[0]!.id,
      } as Session,
    };
  });

const cdrDimensions = CdrDimensionType.options.filter((type) => !sessionOnlyDimensions.includes(type));

export const cdrs: fc.Arbitrary<Cdr> = both(
  both(
    party,
    fc.record({
      id,
      start_date_time: at,
      end_date_time: at,
      cdr_token: cdrToken,
      auth_method: oneOf(AuthMethod),
      currency: fc.constant('CAD'),
      charging_periods: periods(cdrDimensions),
      total_cost: price,
      total_energy: volume,
      total_time: volume,
      last_updated: at,
      cdr_location: both(
        fc.record({
          id,
          address: words(255),
          city: words(45),
          country: fc.constant('CAN'),
          coordinates: place,
          evse_uid: id,
          evse_id: id,
          connector_id: id,
          connector_standard: oneOf(ConnectorType),
          connector_format: oneOf(ConnectorFormat),
          connector_power_type: oneOf(PowerType),
        }),
        maybe({ name: words(255), postal_code: fc.constantFrom('V5G 3H2', '9000'), state: words(45) }),
      ),
    }),
  ),
  maybe({
    session_id: id,
    authorization_reference: id,
    meter_id: words(255),
    tariffs: fc.uniqueArray(tariffs, { maxLength: 2, selector: (one) => one.id.toLowerCase() }),
    total_fixed_cost: price,
    total_energy_cost: price,
    total_time_cost: price,
    total_parking_time: volume,
    total_parking_cost: price,
    total_reservation_cost: price,
    remark: words(255),
    invoice_reference_id: id,
    home_charging_compensation: fc.boolean(),
    signed_data: fc.record({
      encoding_method: fc.constant('OCMF'),
      signed_values: fc.constant([{ nature: 'End', plain_data: 'a', signed_data: 'b' }]),
    }),
  }),
) as fc.Arbitrary<Cdr>;

export const starts: fc.Arbitrary<StartSession> = both(
  fc.record({ response_url: url, token: tokens, location_id: id }),
  maybe({ evse_uid: id, authorization_reference: id }),
) as fc.Arbitrary<StartSession>;

export const reservations: fc.Arbitrary<ReserveNow> = both(
  fc.record({
    response_url: url,
    token: tokens,
    expiry_date: at,
    reservation_id: fc.oneof(id, fc.nat(999_999_999).map(String)),
    location_id: id,
  }),
  maybe({ evse_uid: id, authorization_reference: id }),
) as fc.Arbitrary<ReserveNow>;
