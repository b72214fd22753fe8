import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Bus } from '#bus';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import {
  getPartnerProfile, type ProfileRequestStands, sendProfileRequest, type SendProfileRequestSchema, SendOutcome,
} from '#contracts/ocpi-gateway';
import { busParty } from '#contracts/party';
import { requestProfile } from '#contracts/sessions';
import type { Session } from '#ocpi';
import type { OwnParties } from '#settings';
import { z } from 'zod';
import type { Charges } from './charges.ts';
import type { Driver } from './entities.ts';
import { OcpiObject } from './fields.ts';
import { Problem } from './problem.ts';

const outcomes: Readonly<Record<SendOutcome, 'answered' | 'unreachable' | 'unclear' | 'no-partner'>> = {
  [SendOutcome.UNSPECIFIED]: 'unclear',
  [SendOutcome.ANSWERED]: 'answered',
  [SendOutcome.UNREACHABLE]: 'unreachable',
  [SendOutcome.UNCLEAR]: 'unclear',
  [SendOutcome.NO_PARTNER]: 'no-partner',
};

export const ProfileRequestView = z.object({
  request_id: z.string(),
  method: z.enum(['GET', 'PUT', 'DELETE', 'PREFERENCES', 'WITHDRAW'])
    .meta({ description: 'WITHDRAW: your own provider cleared what another party had set, because it may not limit your charge any more' }),
  provider: z.object({ country_code: z.string(), party_id: z.string(), name: z.string().optional() }).optional()
    .meta({ description: 'The smart charging service provider that asked it, or had set what was cleared; without it you asked' }),
  charging_profile: OcpiObject.optional().meta({ description: 'OCPI ChargingProfile that was asked for' }),
  outcome: z.enum(['answered', 'unreachable', 'unclear', 'no-partner']),
  response: z.string().optional().meta({ description: 'OCPI ChargingProfileResponseType or ChargingPreferencesResponse' }),
  message: z.string().optional(),
  result: z.string().optional().meta({ description: 'OCPI ChargingProfileResultType, once the operator said it' }),
  at: z.string(),
}).meta({ id: 'ProfileRequest' });
export type ProfileRequestView = z.output<typeof ProfileRequestView>;

export const ProfileView = z.object({
  active: OcpiObject.optional().meta({ description: 'OCPI ActiveChargingProfile, as the operator told it last' }),
  active_at: z.string().optional(),
  limited_by: z.object({ country_code: z.string(), party_id: z.string() }).optional()
    .meta({ description: 'At a station of your own provider: the smart charging service provider whose limit holds now' }),
  requests: z.array(ProfileRequestView),
}).meta({ id: 'ChargingProfile' });
export type ProfileView = z.output<typeof ProfileView>;

type Wish = Pick<MessageInitShape<typeof SendProfileRequestSchema>, 'method' | 'durationS'> & { readonly body?: object };

/** Limits and wishes for a driver's charge at a partner's station. */
export class ChargeProfiles {
  constructor(private readonly parts: { readonly bus: Bus; readonly charges: Charges; readonly parties: OwnParties }) {}

  /** Answers what the operator said at once; its result is in `find` later. */
  async send(driver: Driver, chargeId: string, { method, durationS = 0, body }: Wish): Promise<ProfileRequestView> {
    const { bus, charges, parties } = this.parts;
    const session = await charges.runningSession(driver, chargeId);
    if (parties.has(session)) {
      throw new Problem(
        409,
        'own-station',
        'the charge is at a station of your own provider, which takes no profiles and preferences from its drivers',
      );
    }
    const request = await bus.ask(sendProfileRequest, {
      orderId: randomUUID(), party: busParty(session), from: busParty(session.cdr_token), sessionId: session.id, method, durationS,
      ...(body ? { bodyJson: toJsonBytes(body) } : {}),
    });
    return viewOf(request);
  }

  async find(driver: Driver, chargeId: string): Promise<ProfileView> {
    const { bus, charges } = this.parts;
    const session = await charges.anySession(driver, chargeId);
    const [{ requests, activeJson, activeAt }, limitedBy] = await Promise.all([
      bus.ask(getPartnerProfile, { party: busParty(session), sessionId: session.id }), this.limitedBy(session),
    ]);
    return {
      ...(limitedBy === undefined ? {} : { limited_by: limitedBy }),
      ...(activeJson ? { active: fromJsonBytes<Record<string, unknown>>(activeJson), active_at: activeAt } : {}),
      requests: requests.map(viewOf),
    };
  }

  private async limitedBy(session: Session): Promise<ProfileView['limited_by']> {
    const { bus, parties } = this.parts;
    if (!parties.has(session)) return undefined;
    const { setBy } = await bus.ask(requestProfile, {
      orderId: randomUUID(), sessionId: session.id, method: 'GET', parties: [busParty(session.cdr_token)],
    });
    const [country_code = '', party_id = ''] = setBy?.split('*') ?? [];
    return setBy === undefined ? undefined : { country_code, party_id };
  }
}

function viewOf(request: ProfileRequestStands): ProfileRequestView {
  const { orderId, method, provider, providerName: name, profileJson, outcome, response, message, result, at } = request;
  return {
    request_id: orderId, method: method as ProfileRequestView['method'],
    ...(provider ? { provider: { country_code: provider.countryCode, party_id: provider.partyId, ...(name === '' ? {} : { name }) } } : {}),
    ...(profileJson ? { charging_profile: fromJsonBytes<Record<string, unknown>>(profileJson) } : {}), outcome: outcomes[outcome],
    ...(response === '' ? {} : { response }), ...(message === '' ? {} : { message }), ...(result === undefined ? {} : { result }), at,
  };
}
