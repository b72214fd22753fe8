import { Controller, Inject } from '@nestjs/common';
import { type Asked, Answers, each, withinOneAnswer } from '#bus';
import {
  type DeletePartnerTariff, deletePartnerTariff, type GetTariff, getTariff, type LintTariff, lintTariff,
  type ListTariffs, listTariffs, type ListTariffVersions, listTariffVersions, type PublishTariff, publishTariff,
  type PutPartnerTariff, putPartnerTariff, type Quote, quote, type SelectTariff, selectTariff, type WithdrawTariff,
  withdrawTariff,
} from '#contracts/tariff-engine';
import { Change, ocpiParty } from '#contracts/party';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { pageAnswer } from '#contracts/page';
import type { Tariff } from '#ocpi';
import { type EvseFacts, english, explain, explanationJson, french, METER_STANDINGS, type Priced, sentence } from '#pricing';
import type { Change as Changed } from './publishing.ts';
import { TariffEngine } from './tariff-engine.ts';

const changeOf: Readonly<Record<Changed, Change>> = {
  created: Change.CREATED, updated: Change.UPDATED, unchanged: Change.UNCHANGED, stale: Change.STALE,
};

const VERSIONS_MAX = 50;

@Controller()
export class AskController {
  constructor(@Inject(TariffEngine) private readonly engine: TariffEngine) {}

  @Answers(getTariff)
  get(requests: GetTariff[]) {
    return each(requests, async ({ party, tariffId, asOf }) => {
      const found = party ? await this.engine.find({ party, tariffId }, asOf) : await this.engine.findOwn(tariffId, asOf);
      return found
        ? { tariffJson: toJsonBytes(found.text), version: found.version, heldSince: found.at }
        : { version: 0 };
    });
  }

  @Answers(listTariffVersions)
  versions(requests: ListTariffVersions[]) {
    return each(requests, async ({ party, tariffId, offset, limit }) => {
      const held = await this.engine.versions({ party: party!, tariffId });
      const page = held.slice(offset, offset + Math.min(limit || VERSIONS_MAX, VERSIONS_MAX));
      const versions = page.map(({ published, until }) => ({
        version: published.version,
        tariffJson: toJsonBytes(published.text),
        lastUpdated: published.lastUpdated,
        heldSince: published.at,
        ...(until === undefined ? {} : { heldUntil: until }),
        source: published.source,
      }));
      return { versions: withinOneAnswer(versions, ({ tariffJson }) => tariffJson), total: held.length };
    });
  }

  @Answers(selectTariff)
  select(requests: SelectTariff[]) {
    return each(requests, async (request) => {
      const { text, version, why, others } = await this.engine.select({
        ...request, party: request.party!, tokenParty: request.tokenParty && ocpiParty(request.tokenParty),
      });
      return { tariffJson: toJsonBytes(text), version, why, others: [...others] };
    });
  }

  @Answers(listTariffs)
  list(requests: ListTariffs[]) {
    return each(requests, async ({ page, offeredTo, owner }) => {
      return pageAnswer(await this.engine.list(page!, offeredTo.map(ocpiParty), owner && ocpiParty(owner)));
    });
  }

  @Answers(publishTariff)
  publish(requests: PublishTariff[], { commandIds }: Asked) {
    return each(requests, async ({ tariffJson }, n) => {
      const commandId = commandIds[n];
      const { version, change, text } = await this.engine.publish(fromJsonBytes<Partial<Tariff>>(tariffJson), {
        source: 'operator', ...(commandId ? { commandId } : {}),
      });
      const lint = await this.engine.lintPublished(JSON.parse(text) as Tariff);
      return { version, change: changeOf[change], tariffJson: toJsonBytes(text), lint };
    });
  }

  @Answers(lintTariff)
  lint(requests: LintTariff[]) {
    return each(requests, async ({ tariffJson, country, timeZone, evses }) => ({
      lint: this.engine.lint(fromJsonBytes(tariffJson), {
        ...(country && { country }), ...(timeZone && { timeZone }), evses: evses.map(factsOf),
      }),
    }));
  }

  @Answers(withdrawTariff)
  withdraw(requests: WithdrawTariff[], { commandIds }: Asked) {
    return each(requests, async ({ tariffId }, n) => ({
      change: changeOf[await this.engine.withdrawOwn(tariffId, commandIds[n] || undefined)],
    }));
  }

  @Answers(putPartnerTariff)
  put(requests: PutPartnerTariff[]) {
    return each(requests, async ({ bodyJson, replaces }) => {
      const { change } = await this.engine.putPartner(fromJsonBytes(bodyJson), replaces);
      return { change: changeOf[change] };
    });
  }

  @Answers(deletePartnerTariff)
  delete(requests: DeletePartnerTariff[]) {
    return each(requests, async ({ party, tariffId, foundAt }) => ({
      change: changeOf[await this.engine.withdrawPartner({ party: party!, tariffId }, foundAt)],
    }));
  }

  @Answers(quote)
  quote(requests: Quote[]) {
    return each(requests, async ({ startAt, alternativesWithinS: withinS, alternativesEveryS: everyS, language, ...request }) => {
      const { tariff, priced, alternatives } = await this.engine.quote({
        ...request, party: request.party!, tokenParty: request.tokenParty && ocpiParty(request.tokenParty), at: startAt, ahead: { withinS, everyS },
      });
      return {
        currency: priced.currency,
        ...priceOf(priced.total),
        sentence: sentence(tariff, language === 'fr' ? french : english),
        explanationJson: toJsonBytes(explanationJson(explain(priced, language === 'fr' ? 'fr' : 'en'))),
        alternatives: alternatives.map(({ start, total, cheapest }) => ({ startAt: start, ...priceOf(total), cheapest })),
      };
    });
  }
}

function priceOf({ excl, incl }: Priced['total']) {
  return { exclVat: excl.toString(), inclVat: (incl ?? excl).toString() };
}

function factsOf({ name, meter }: { name: string; meter?: string | undefined }): EvseFacts {
  const standing = METER_STANDINGS.find((each) => each === meter);
  return { name, ...(standing && { meter: standing }) };
}
