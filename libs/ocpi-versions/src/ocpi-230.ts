import { z } from 'zod';
import {
  AdditionalGeoLocation, AuthorizationInfo, boolean, BusinessDetails, Cdr, CdrLocation, CdrToken, ci, Connector,
  ConnectorType, Credentials, CredentialsRole, EnergyMix, EnvironmentalImpactCategory, enumOf, Evse, id, Image,
  ImageCategory, list, Location, number, object, open, optional, PriceComponent, PublishTokenType, ReserveNow, Role,
  Session, some, StartSession, Tariff, TariffElement, text, Token, TokenType,
} from '#ocpi';

// What OCPI 2.3.0 (ed2, branch 2.3.0/release/core) has otherwise than 2.2.1. Its OpenEnums are open here;
// the schemas of 2.2.1 are closed where a required field has to be understood.

/** Its texts have no length in 2.3.0; the bytes of a body bound them. */
const anyText = text(10_000);

const TaxAmount = object('TaxAmount', {
  name: anyText, account_number: optional(anyText), percentage: optional(number), amount: number,
});
export type TaxAmount = z.infer<typeof TaxAmount>;

export const Price = object('Price', { before_taxes: number, taxes: list(TaxAmount) });
export type Price = z.infer<typeof Price>;

export const PriceLimit = object('PriceLimit', { before_taxes: number, after_taxes: optional(number) });
export type PriceLimit = z.infer<typeof PriceLimit>;

export const TaxIncluded = enumOf('TaxIncluded', ['YES', 'NO', 'N/A']);
export type TaxIncluded = z.infer<typeof TaxIncluded>;

const image = object('Image', { ...Image.shape, category: open('ImageCategory', ImageCategory) });
const business = optional(object('BusinessDetails', { ...BusinessDetails.shape, logo: optional(image) }));
const tokenType = open('TokenType', TokenType);
const energyMix = optional(object('EnergyMix', {
  ...EnergyMix.shape,
  environ_impact: list(object('EnvironmentalImpact', {
    category: open('EnvironmentalImpactCategory', EnvironmentalImpactCategory), amount: number,
  })),
}));

const VehicleType = enumOf('VehicleType', [
  'MOTORCYCLE',
  'PERSONAL_VEHICLE',
  'PERSONAL_VEHICLE_WITH_TRAILER',
  'VAN',
  'SEMI_TRACTOR',
  'RIGID',
  'TRUCK_WITH_TRAILER',
  'BUS',
  'DISABLED',
]);

export const Parking = object('Parking', {
  id: id(36),
  physical_reference: optional(text(12)),
  vehicle_types: some(open('VehicleType', VehicleType)),
  max_vehicle_weight: optional(number),
  max_vehicle_height: optional(number),
  max_vehicle_length: optional(number),
  max_vehicle_width: optional(number),
  parking_space_length: optional(number),
  parking_space_width: optional(number),
  dangerous_goods_allowed: optional(boolean),
  direction: optional(enumOf('ParkingDirection', ['PARALLEL', 'PERPENDICULAR', 'ANGLE'])),
  drive_through: optional(boolean),
  restricted_to_type: boolean,
  reservation_required: boolean,
  time_limit: optional(number),
  roofed: optional(boolean),
  images: list(image),
  lighting: optional(boolean),
  refrigeration_outlet: optional(boolean),
  standards: list(ci(36)),
  apds_reference: optional(ci(10_000)),
});

const connector = object('Connector', {
  ...Connector.shape,
  standard: open('ConnectorType', ConnectorType),
  capabilities: list(
    open(
      'ConnectorCapability',
      enumOf('ConnectorCapability', ['ISO_15118_2_PLUG_AND_CHARGE', 'ISO_15118_20_PLUG_AND_CHARGE']),
    ),
  ),
});

const evse = object('EVSE', {
  ...Evse.shape,
  connectors: some(connector),
  images: list(image),
  parking: list(
    object('EVSEParking', {
      parking_id: id(36),
      evse_position: optional(enumOf('EVSEPosition', ['LEFT', 'RIGHT', 'CENTER'])),
    }),
  ),
  accepted_service_providers: list(text(50)),
});

const location = object('Location', {
  ...Location.shape,
  publish_allowed_to: list(object('PublishTokenType', { ...PublishTokenType.shape, type: optional(tokenType) })),
  related_locations: list(AdditionalGeoLocation),
  evses: list(evse),
  parking_places: list(Parking),
  operator: business,
  suboperator: business,
  owner: business,
  images: list(image),
  energy_mix: energyMix,
  help_phone: optional(ci(25)),
});

const tariff = object('Tariff', {
  ...Tariff.shape, min_price: optional(PriceLimit), max_price: optional(PriceLimit), tax_included: TaxIncluded, energy_mix: energyMix,
  elements: some(object('TariffElement', { ...TariffElement.shape, price_components: some(PriceComponent) })),
});

const cdrToken = object('CdrToken', { ...CdrToken.shape, type: tokenType });
const session = object('Session', { ...Session.shape, cdr_token: cdrToken, total_cost: optional(Price) });
const cdr = object('CDR', {
  ...Cdr.shape,
  cdr_token: cdrToken,
  cdr_location: object('CdrLocation', { ...CdrLocation.shape, connector_standard: open('ConnectorType', ConnectorType) }),
  tariffs: list(tariff),
  total_cost: Price,
  total_fixed_cost: optional(Price),
  total_energy_cost: optional(Price),
  total_time_cost: optional(Price),
  total_parking_cost: optional(Price),
  total_reservation_cost: optional(Price),
});
const token = object('Token', { ...Token.shape, type: tokenType });

/** The classes that differ, by what they are called in `Kind`. */
export const ocpi230 = {
  location, evse, connector, session, cdr, tariff, token,
  authorization: object('AuthorizationInfo', { ...AuthorizationInfo.shape, token }),
  START_SESSION: object('StartSession', { ...StartSession.shape, token }),
  RESERVE_NOW: object('ReserveNow', { ...ReserveNow.shape, token }),
  credentials: object('Credentials', {
    ...Credentials.shape,
    hub_party_id: optional(ci(5)),
    roles: some(object('CredentialsRole', { ...CredentialsRole.shape, role: open('Role', Role) })),
  }),
} as const;
