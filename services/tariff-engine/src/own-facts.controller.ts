import { Controller } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type TariffPublished, tariffPublished, type TariffWithdrawn, tariffWithdrawn } from '#contracts/tariff-engine';
import { publishedOffered, withdrawnOffered } from './offered.ts';

/** Keeps the read model behind listTariffs. */
@Controller()
export class OwnFactsController {
  @Hears(tariffPublished)
  published(fact: TariffPublished, { tx }: Heard) {
    return publishedOffered(tx, fact);
  }

  @Hears(tariffWithdrawn)
  withdrawn(fact: TariffWithdrawn, { tx }: Heard) {
    return withdrawnOffered(tx, fact);
  }
}
