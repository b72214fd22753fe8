import { Controller, Inject } from '@nestjs/common';
import { HearsMany, type Told } from '#bus';
import { fromJsonBytes } from '#contracts';
import { type SessionEnded, sessionEnded, type SessionEndedSchema } from '#contracts/sessions';
import type { Location, Session, SignedData, Tariff, Token } from '#ocpi';
import { CdrLedger } from './cdr-ledger.ts';
import { eachKey } from './each-key.ts';

@Controller()
export class SessionFactsController {
  constructor(@Inject(CdrLedger) private readonly ledger: CdrLedger) {}

  @HearsMany(sessionEnded)
  ended(told: Told<typeof SessionEndedSchema>[]) {
    return eachKey(told, (fact) => this.ledger.issue(endedSession(fact)));
  }
}

function endedSession({
  sessionJson, locationJson, tariffJson, tariffVersion, tokenJson, energyWh, signedDataJson, meterFindings, reservationOnly,
}: SessionEnded) {
  return {
    session: fromJsonBytes<Session>(sessionJson),
    location: fromJsonBytes<Location>(locationJson),
    tariff: fromJsonBytes<Tariff>(tariffJson),
    tariffVersion,
    token: fromJsonBytes<Token>(tokenJson),
    energyWh,
    reservationOnly,
    ...(signedDataJson === undefined ? {} : { signedData: fromJsonBytes<SignedData>(signedDataJson) }),
    meterFindings: meterFindings.map(({ code, detail, figures }) => ({ code, detail, figures })),
  };
}
