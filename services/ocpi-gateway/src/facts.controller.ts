import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type AgreementChanged, agreementChanged } from '#contracts/agreements';
import { type CdrIssued, cdrIssued } from '#contracts/cdr-ledger';
import { type EvseStatusChanged, evseStatusChanged, type LocationChanged, locationChanged } from '#contracts/locations';
import {
  type CommandFinished, commandFinished, type SessionEnded, sessionEnded, type SessionStarted, sessionStarted,
  type SessionUpdated, sessionUpdated,
} from '#contracts/sessions';
import { type TariffPublished, tariffPublished, type TariffWithdrawn, tariffWithdrawn } from '#contracts/tariff-engine';
import { type TokenChanged, tokenChanged } from '#contracts/tokens-auth';
import { fromBus } from './partner.ts';
import { tokenKey } from './delivery.ts';
import { OcpiGateway } from './ocpi-gateway.ts';

const json = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What the other services tell: our own objects, for the partners that are to have them. */
@Controller()
export class FactsController {
  constructor(@Inject(OcpiGateway) private readonly gateway: OcpiGateway) {}

  @Hears(tariffPublished)
  async tariffPublished({ own, tariffId, tariffJson }: TariffPublished, heard: Heard) {
    if (own) await this.gateway.queue(heard, { module: 'tariffs', objectKey: tariffId, current: json(tariffJson) });
  }

  @Hears(tariffWithdrawn)
  async tariffWithdrawn({ own, tariffId }: TariffWithdrawn, heard: Heard) {
    if (own) await this.gateway.queue(heard, { module: 'tariffs', objectKey: tariffId, current: undefined });
  }

  @Hears(agreementChanged)
  agreed(fact: AgreementChanged, heard: Heard) {
    return this.gateway.granted(heard, fact);
  }

  @Hears(locationChanged, evseStatusChanged)
  async locationChanged({ own, locationId, locationJson }: LocationChanged | EvseStatusChanged, heard: Heard) {
    if (own) await this.gateway.queue(heard, { module: 'locations', objectKey: locationId, current: json(locationJson) });
  }

  @Hears(tokenChanged)
  async tokenChanged({ own, uid, type, tokenJson }: TokenChanged, heard: Heard) {
    const objectKey = tokenKey({ uid, type: type as 'RFID' });
    if (own) await this.gateway.queue(heard, { module: 'tokens', objectKey, current: json(tokenJson) });
  }

  @Hears(sessionStarted, sessionUpdated, sessionEnded)
  sessionChanged({ sessionId, tokenParty, sessionJson }: SessionStarted | SessionUpdated | SessionEnded, heard: Heard) {
    const session = { module: 'sessions', objectKey: sessionId, current: json(sessionJson) } as const;
    return this.gateway.queue(heard, session, fromBus(tokenParty!));
  }

  @Hears(cdrIssued)
  cdrIssued({ cdrId, tokenParty, cdrJson }: CdrIssued, heard: Heard) {
    return this.gateway.queue(heard, { module: 'cdrs', objectKey: cdrId, current: json(cdrJson) }, fromBus(tokenParty!));
  }

  @Hears(commandFinished)
  commandFinished({ orderId, result, message }: CommandFinished, heard: Heard) {
    return this.gateway.commandFinished(heard, { orderId, result, message });
  }
}
