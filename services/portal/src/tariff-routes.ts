import { z } from 'zod';
import type { Bus } from '#bus';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { Change } from '#contracts/party';
import {
  getTariff, lintTariff, listTariffs, listTariffVersions, publishTariff, type TariffLint, withdrawTariff,
} from '#contracts/tariff-engine';
import { CountryCode, Instant, Limit, numberText, OcpiId, OcpiObject, PartyId } from './fields.ts';
import { Problem } from './problem.ts';
import { operatorRoute, type Route } from './route.ts';

const Offset = numberText(z.int().min(0).max(1_000_000).default(0));

/** An OCPI 2.2.1 Tariff; last_updated is filled in, and country_code and party_id where they are left out. */
const TariffBody = z.looseObject({
  id: OcpiId.optional(),
  currency: z.string().length(3),
  elements: z.array(z.unknown()).min(1),
});

const LintView = z.object({
  code: z.string(),
  severity: z.string().meta({ description: 'error, warning or info' }),
  path: z.string().meta({ description: 'JSON pointer into the tariff' }),
  message: z.string(),
  advice: z.string(),
}).meta({ id: 'TariffLint' });

const MeterStanding = z.enum(['approved', 'dispensation', 'none']).meta({
  description:
    'by Measurement Canada: its type is approved, it runs on a temporary dispensation, or neither; left out where it is not known',
});

const VersionView = z.object({
  version: z.int(),
  source: z.string().meta({ description: 'settings, operator or partner' }),
  held_since: z.string(),
  held_until: z.string().optional().meta({ description: 'absent while it is in force' }),
  tariff: OcpiObject,
}).meta({ id: 'TariffVersion' });

const changes: Readonly<Record<number, string>> = {
  [Change.CREATED]: 'created', [Change.UPDATED]: 'updated', [Change.UNCHANGED]: 'unchanged',
};

/** The operator's tariffs, and what partners published to us. */
export function tariffRoutes(bus: Bus): Route[] {
  return [...readingRoutes(bus), ...changingRoutes(bus)];
}

function readingRoutes(bus: Bus): Route[] {
  const read = async (party: { countryCode: string; partyId: string } | undefined, tariffId: string, asOf: string | undefined) => {
    const found = await bus.ask(getTariff, { ...(party ? { party } : {}), tariffId, ...(asOf === undefined ? {} : { asOf }) });
    if (!found.tariffJson) {
      const when = asOf === undefined ? 'now' : `at ${asOf}`;
      const who = party ? `${party.countryCode}*${party.partyId} has` : 'we have';
      throw new Problem(404, 'unknown-tariff', `tariff_id: ${who} no tariff ${tariffId} here ${when}`);
    }
    const { version, heldSince: held_since, tariffJson } = found;
    return { version, held_since, tariff: fromJsonBytes<Record<string, unknown>>(tariffJson) };
  };
  const Found = z.object({ version: z.int(), held_since: z.string(), tariff: OcpiObject });
  const asOf = z.strictObject({ as_of: Instant.optional() });
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/tariffs', summary: 'Our tariffs as they are offered, in order of creation',
      query: z.strictObject({ offset: Offset, limit: Limit(100, 50) }),
      answer: z.object({ tariffs: z.array(OcpiObject), total: z.int() }),
      async handle({ query }) {
        const { objectsJson, total } = await bus.ask(listTariffs, { page: query });
        return { tariffs: objectsJson.map((json) => fromJsonBytes<Record<string, unknown>>(json)), total };
      },
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/tariffs/:tariff_id', summary: 'A tariff of ours, as it is or as it was',
      params: z.strictObject({ tariff_id: OcpiId }), query: asOf, answer: Found,
      handle: ({ params, query }) => read(undefined, params.tariff_id, query.as_of),
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/tariffs/:country_code/:party_id/:tariff_id',
      summary: 'A tariff of ours or a partner\'s, as it is or as we held it at an instant',
      params: z.strictObject({ country_code: CountryCode, party_id: PartyId, tariff_id: OcpiId }), query: asOf, answer: Found,
      handle: ({ params: { country_code: countryCode, party_id: partyId, tariff_id }, query }) =>
        read({ countryCode, partyId }, tariff_id, query.as_of),
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/tariffs/:country_code/:party_id/:tariff_id/versions',
      summary: 'Every version of a tariff that we held, the newest first',
      params: z.strictObject({ country_code: CountryCode, party_id: PartyId, tariff_id: OcpiId }),
      query: z.strictObject({ offset: Offset, limit: Limit(50, 20) }),
      answer: z.object({ versions: z.array(VersionView), total: z.int() }),
      async handle({ params: { country_code: countryCode, party_id: partyId, tariff_id: tariffId }, query }) {
        const { versions, total } = await bus.ask(listTariffVersions, { party: { countryCode, partyId }, tariffId, ...query });
        return {
          total,
          versions: versions.map(({ version, source, heldSince: held_since, heldUntil, tariffJson }) => ({
            version, source, held_since, ...(heldUntil === undefined ? {} : { held_until: heldUntil }),
            tariff: fromJsonBytes<Record<string, unknown>>(tariffJson),
          })),
        };
      },
    }),
  ];
}

function changingRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'PUT', path: '/v1/operator/tariffs/:tariff_id', takesKey: true,
      summary: 'Publish a tariff of ours, or its next version; the same content again changes nothing',
      params: z.strictObject({ tariff_id: OcpiId }), body: TariffBody,
      answer: z.object({ change: z.string(), version: z.int(), tariff: OcpiObject, lint: z.array(LintView) }),
      async handle({ params: { tariff_id: id }, body, key }) {
        if (body.id !== undefined && body.id.toLowerCase() !== id.toLowerCase()) {
          throw new Problem(400, 'invalid-request', `body.id: is ${body.id}, the path says ${id}`);
        }
        const tariffJson = toJsonBytes({ id, ...body });
        const published = await bus.ask(publishTariff, { tariffJson }, key === undefined ? {} : { commandId: key });
        return {
          change: changes[published.change] ?? 'unchanged',
          version: published.version,
          tariff: fromJsonBytes<Record<string, unknown>>(published.tariffJson),
          lint: published.lint.map(lintView),
        };
      },
    }),
    operatorRoute({
      method: 'DELETE', path: '/v1/operator/tariffs/:tariff_id', takesKey: true,
      summary: 'Withdraw a tariff of ours that no Connector names any more',
      params: z.strictObject({ tariff_id: OcpiId }),
      answer: z.object({ change: z.string() }),
      async handle({ params, key }) {
        const asked = { tariffId: params.tariff_id };
        const { change } = await bus.ask(withdrawTariff, asked, key === undefined ? {} : { commandId: key });
        return { change: change === Change.UPDATED ? 'withdrawn' : 'unchanged' };
      },
    }),
    operatorRoute({
      method: 'POST', path: '/v1/operator/tariffs/lint',
      summary: 'What the author of a tariff should look at; nothing is published',
      body: z.strictObject({
        tariff: OcpiObject,
        country: z.string().regex(/^[A-Za-z]{2,3}$/, 'ISO 3166-1, such as CA').optional(),
        time_zone: z.string().max(64).optional(),
        evses: z.array(z.strictObject({ name: z.string().min(1).max(48), meter: MeterStanding.optional() })).max(1_000).default([])
          .meta({ description: 'that it is for: in Canada their meters decide about a price per kWh' }),
      }),
      answer: z.object({ lint: z.array(LintView) }),
      async handle({ body: { tariff, country = '', time_zone: timeZone = '', evses } }) {
        const { lint } = await bus.ask(lintTariff, { tariffJson: toJsonBytes(tariff), country, timeZone, evses });
        return { lint: lint.map(lintView) };
      },
    }),
  ];
}

function lintView({ code, severity, path, message, advice }: TariffLint): z.infer<typeof LintView> {
  return { code, severity, path, message, advice };
}
