import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type AgreementChanged, agreementChanged } from '#contracts/agreements';
import { type TariffPublished, tariffPublished, type TariffWithdrawn, tariffWithdrawn } from '#contracts/tariff-engine';
import { publishedOffered, withdrawnOffered } from './offered.ts';
import { TariffEngine } from './tariff-engine.ts';

/** Keeps the read model behind listTariffs, and what partners are granted. */
@Controller()
export class OwnFactsController {
  constructor(@Inject(TariffEngine) private readonly engine: TariffEngine) {}

  @Hears(tariffPublished)
  published(fact: TariffPublished, { tx }: Heard) {
    return publishedOffered(tx, fact);
  }

  @Hears(agreementChanged)
  granted(fact: AgreementChanged, { tx }: Heard) {
    return this.engine.noteGrants(tx, fact);
  }

  @Hears(tariffWithdrawn)
  withdrawn(fact: TariffWithdrawn, { tx }: Heard) {
    return withdrawnOffered(tx, fact);
  }
}
