import { Controller, Inject } from '@nestjs/common';
import { type Heard, type HeardTogether, Hears, HearsMany, type Told } from '#bus';
import { type ActiveProfileChanged, activeProfileChanged, type ProfileSettled, profileSettled } from '#contracts/evems-controller';
import { type AgreementChanged, agreementChanged } from '#contracts/agreements';
import { type CdrIssued, cdrIssued } from '#contracts/cdr-ledger';
import {
  type EvseStatusChanged, evseStatusChanged, type EvseStatusChangedSchema, type LocationChanged, locationChanged,
  type LocationChangedSchema,
} from '#contracts/locations';
import {
  type CommandFinished, commandFinished, type PartnerSessionChanged, partnerSessionChanged, type SessionEnded, sessionEnded, type SessionStarted, sessionStarted,
  type SessionUpdated, sessionUpdated,
} from '#contracts/sessions';
import { type TariffPublished, tariffPublished, type TariffWithdrawn, tariffWithdrawn } from '#contracts/tariff-engine';
import { type TokenChanged, tokenChanged } from '#contracts/tokens-auth';
import { fromJsonBytes, jsonText } from '#contracts';
import { Erasing } from '#erasure';
import type { CdrToken, Session, Tariff, Token } from '#ocpi';
import { fromBus } from './partners/partner.ts';
import { OcpiGateway } from './ocpi-gateway.ts';
import { Profiles } from './profiles.ts';
import { Steering } from './steering.ts';
import { tokenKey } from './pushes/token-key.ts';
import type { OwnObject } from './pushes/views.ts';

/** Of each Location the last of the batch: it is told by one after the other. */
function locationsOf(facts: readonly (LocationChanged | EvseStatusChanged)[]): OwnObject[] {
  const last = new Map(facts.filter(({ own }) => own).map((fact) => [fact.locationId, fact]));
  return [...last.values()].map(({ locationId: objectKey, locationJson, private: isPrivate }) =>
    ({ module: 'locations', objectKey, current: jsonText(locationJson), isPrivate }));
}

/** What the other services tell: our own objects, for the partners that are to have them. */
@Controller()
export class FactsController {
  constructor(
    @Inject(OcpiGateway) private readonly gateway: OcpiGateway,
    @Inject(Erasing) private readonly erasing: Erasing,
    @Inject(Profiles) private readonly profiles: Profiles,
    @Inject(Steering) private readonly steering: Steering,
  ) {}

  @Hears(tariffPublished)
  async tariffPublished({ own, tariffId, tariffJson }: TariffPublished, heard: Heard) {
    if (!own) return;
    this.gateway.queue(heard, [{ module: 'tariffs', objectKey: tariffId, current: jsonText(tariffJson) }]);
    await this.gateway.tariffTurns(heard, fromJsonBytes<Tariff>(tariffJson));
  }

  @Hears(tariffWithdrawn)
  tariffWithdrawn({ own, tariffId }: TariffWithdrawn, heard: Heard) {
    if (own) this.gateway.queue(heard, [{ module: 'tariffs', objectKey: tariffId, current: undefined }]);
  }

  @Hears(agreementChanged)
  agreed(fact: AgreementChanged, heard: Heard) {
    return this.gateway.granted(heard, fact);
  }

  @HearsMany(locationChanged)
  locationsChanged(facts: Told<typeof LocationChangedSchema>[], heard: HeardTogether) {
    return this.gateway.queue(heard, locationsOf(facts.map(({ fact }) => fact)));
  }

  @HearsMany(evseStatusChanged)
  statusesChanged(facts: Told<typeof EvseStatusChangedSchema>[], heard: HeardTogether) {
    return this.gateway.queue(heard, locationsOf(facts.map(({ fact }) => fact)));
  }

  @Hears(tokenChanged)
  tokenChanged({ own, uid, type, tokenJson, lastUpdated }: TokenChanged, heard: Heard) {
    const objectKey = tokenKey({ uid, type: type as 'RFID' });
    // What comes late of an erased contract: its partners hear that it is over, and no more.
    if (own && !this.isErased(fromJsonBytes<Token>(tokenJson), lastUpdated))
      this.gateway.queue(heard, [{ module: 'tokens', objectKey, current: jsonText(tokenJson) }]);
  }

  @Hears(sessionStarted, sessionUpdated, sessionEnded)
  async sessionChanged(fact: SessionStarted | SessionUpdated | SessionEnded, heard: Heard) {
    const { sessionId, tokenParty, sessionJson } = fact;
    if ('energyWh' in fact) await this.profiles.ended(sessionId, heard);
    const told = fromJsonBytes<Session>(sessionJson);
    if (this.isErased(told.cdr_token, told.start_date_time)) return this.steering.erased(heard.tx, told);
    const session = { module: 'sessions', objectKey: sessionId, current: jsonText(sessionJson) } as const;
    this.gateway.queue(heard, [session], fromBus(tokenParty!));
  }

  @Hears(partnerSessionChanged)
  async partnerSessionChanged({ sessionJson }: PartnerSessionChanged, heard: Heard) {
    const session = fromJsonBytes<Session>(sessionJson);
    if (session.status === 'COMPLETED' || session.status === 'INVALID') await this.steering.ended(heard.tx, session);
    if (this.isErased(session.cdr_token, session.start_date_time)) return this.steering.erased(heard.tx, session);
    this.gateway.queueElsewhere(heard, jsonText(sessionJson));
  }

  @Hears(cdrIssued)
  cdrIssued({ cdrId, tokenParty, cdrJson }: CdrIssued, heard: Heard) {
    return this.gateway.queue(heard, [{ module: 'cdrs', objectKey: cdrId, current: jsonText(cdrJson) }], fromBus(tokenParty!));
  }

  @Hears(profileSettled)
  profileSettled(fact: ProfileSettled, heard: Heard) {
    return this.profiles.settled(fact, heard);
  }

  @Hears(activeProfileChanged)
  activeProfileChanged(fact: ActiveProfileChanged, heard: Heard) {
    return this.profiles.activeChanged(fact, heard);
  }

  @Hears(commandFinished)
  commandFinished({ orderId, result, message }: CommandFinished, heard: Heard) {
    return this.gateway.commandFinished(heard, { orderId, result, message });
  }

  private isErased({ country_code, party_id, contract_id: contractId, uid }: CdrToken, at: string): boolean {
    return this.erasing.marks.isErased({ party: { country_code, party_id }, contractId, uid }, at);
  }
}
