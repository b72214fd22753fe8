import { z } from 'zod';
import type { Bus } from '#bus';
import { type ContestedUid, listContestedUids } from '#contracts/tokens-auth';
import { ocpiParty } from '#contracts/party';
import { Limit } from './fields.ts';
import { operatorRoute, type Route } from './route.ts';

const PartyView = z.object({ country_code: z.string(), party_id: z.string() });

const ContestedUidView = z.object({
  uid: z.string().meta({ description: 'as stations have it: an alias for one of more than 20 characters' }),
  parties: z.array(PartyView),
  since: z.string(),
  refused: z.int().meta({ description: 'how often the card was refused at a station for it' }),
  last_refused_at: z.string().optional(),
  last_station: z.string().optional(),
  counts_as: PartyView.optional().meta({ description: 'whose card it is by the token_priority of an agreement; absent: it is refused' }),
}).meta({ id: 'ContestedUid' });

function contestOf({
  uid,
  parties,
  since,
  refused,
  lastRefusedAt,
  lastStationId,
  countsAs,
}: ContestedUid): z.infer<typeof ContestedUidView> {
  return {
    uid,
    since,
    refused,
    parties: parties.map(ocpiParty),
    ...(lastRefusedAt === undefined ? {} : { last_refused_at: lastRefusedAt }),
    ...(lastStationId === undefined ? {} : { last_station: lastStationId }),
    ...(countsAs === undefined ? {} : { counts_as: ocpiParty(countsAs) }),
  };
}

/** Cards that are in doubt. */
export function cardRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/contested-uids',
      summary: 'Alarms: uids that several parties issued, whose cards are refused until one withdraws or an agreement gives priority',
      query: z.strictObject({ limit: Limit(1_000, 100) }),
      answer: z.object({ uids: z.array(ContestedUidView), total: z.int() }),
      async handle({ query: { limit } }) {
        const { uids, total } = await bus.ask(listContestedUids, { limit });
        return { uids: uids.map(contestOf), total };
      },
    }),
  ];
}
