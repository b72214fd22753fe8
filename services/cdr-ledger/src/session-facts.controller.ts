import { Controller, Inject } from '@nestjs/common';
import { Hears } from '#bus';
import { fromJsonBytes } from '#contracts';
import { type SessionEnded, sessionEnded } from '#contracts/sessions';
import type { Location, Session, Tariff, Token } from '#ocpi';
import { CdrLedger } from './cdr-ledger.ts';

@Controller()
export class SessionFactsController {
  constructor(@Inject(CdrLedger) private readonly ledger: CdrLedger) {}

  @Hears(sessionEnded)
  ended({
    sessionJson,
    locationJson,
    tariffJson,
    tariffVersion,
    tokenJson,
    energyWh,
  }: SessionEnded) {
    return this.ledger.issue({
      session: fromJsonBytes<Session>(sessionJson),
      location: fromJsonBytes<Location>(locationJson),
      tariff: fromJsonBytes<Tariff>(tariffJson),
      tariffVersion,
      token: fromJsonBytes<Token>(tokenJson),
      energyWh,
    });
  }
}
