import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { addDue } from '#due';
import { fromJsonBytes } from '#contracts';
import type { Tariff } from '#ocpi';
import { type AgreementChanged, agreementChanged } from '#contracts/agreements';
import { type TariffPublished, tariffPublished, type TariffWithdrawn, tariffWithdrawn } from '#contracts/tariff-engine';
import { publishedOffered, withdrawnOffered } from './offered.ts';
import { returnDue } from './returning.ts';
import { TariffEngine } from './tariff-engine.ts';

/** Keeps the read model behind listTariffs, and what partners are granted. */
@Controller()
export class OwnFactsController {
  constructor(@Inject(TariffEngine) private readonly engine: TariffEngine) {}

  @Hears(tariffPublished)
  async published(fact: TariffPublished, { tx }: Heard) {
    await publishedOffered(tx, fact);
    const { own, party, tariffId, version, tariffJson } = fact;
    const returns = own ? returnDue({ party: party!, tariffId }, version, fromJsonBytes<Tariff>(tariffJson)) : undefined;
    if (returns) await addDue(tx, returns);
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
