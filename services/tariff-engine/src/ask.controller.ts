import { Controller, Inject } from '@nestjs/common';
import { Answers, each, withinOneAnswer } from '#bus';
import {
  type DeletePartnerTariff, deletePartnerTariff, type GetTariff, getTariff, type ListTariffs, listTariffs,
  type PublishTariff, publishTariff, type PutPartnerTariff, putPartnerTariff, type Quote, quote, type SelectTariff,
  selectTariff,
} from '#contracts/tariff-engine';
import { Change } from '#contracts/party';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Tariff } from '#ocpi';
import { explain, sentence } from '#pricing';
import { type Change as Changed, TariffEngine } from './tariff-engine.ts';

const changeOf: Readonly<Record<Changed, Change>> = {
  created: Change.CREATED, updated: Change.UPDATED, unchanged: Change.UNCHANGED,
};

@Controller()
export class AskController {
  constructor(@Inject(TariffEngine) private readonly engine: TariffEngine) {}

  @Answers(getTariff)
  get(requests: GetTariff[]) {
    return each(requests, async ({ party, tariffId, asOf }) => {
      const found = await this.engine.find({ party: party!, tariffId }, asOf);
      return found ? { tariffJson: toJsonBytes(found.text), version: found.version } : { version: 0 };
    });
  }

  @Answers(selectTariff)
  select(requests: SelectTariff[]) {
    return each(requests, async (request) => {
      const { text, version, why } = await this.engine.select({ ...request, party: request.party! });
      return { tariffJson: toJsonBytes(text), version, why };
    });
  }

  @Answers(listTariffs)
  list(requests: ListTariffs[]) {
    return each(requests, async ({ page }) => {
      const { texts, total } = await this.engine.list(page!);
      return { objectsJson: withinOneAnswer(texts.map(toJsonBytes), (json) => json), total };
    });
  }

  @Answers(publishTariff)
  publish(requests: PublishTariff[]) {
    return each(requests, async ({ tariffJson }) => {
      const { version } = await this.engine.publish(fromJsonBytes<Partial<Tariff>>(tariffJson));
      return { version };
    });
  }

  @Answers(putPartnerTariff)
  put(requests: PutPartnerTariff[]) {
    return each(requests, async ({ bodyJson }) => {
      const { change } = await this.engine.putPartner(fromJsonBytes(bodyJson));
      return { change: changeOf[change] };
    });
  }

  @Answers(deletePartnerTariff)
  delete(requests: DeletePartnerTariff[]) {
    return each(requests, async ({ party, tariffId }) => ({
      change: changeOf[await this.engine.withdrawPartner({ party: party!, tariffId })],
    }));
  }

  @Answers(quote)
  quote(requests: Quote[]) {
    return each(requests, async ({ startAt, ...request }) => {
      const { tariff, priced } = await this.engine.quote({ ...request, party: request.party!, at: startAt });
      const { excl, incl } = priced.total;
      return {
        currency: priced.currency,
        exclVat: excl.toString(),
        inclVat: (incl ?? excl).toString(),
        sentence: sentence(tariff),
        explanationJson: toJsonBytes(explain(priced)),
      };
    });
  }
}
