import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import {
  type AuthorizeAtPartner, authorizeAtPartner, type InvitePartner, invitePartner, listPartners, type ListPartners,
  type RegisterPartner, registerPartner, type SendCommand, sendCommand, SendOutcome,
} from '#contracts/ocpi-gateway';
import { toJsonBytes } from '#contracts';
import type { SentCommand } from './command-rows.ts';
import { OcpiGateway } from './ocpi-gateway.ts';
import { fromBus, type Partner, toBus } from './partner.ts';
import { Partners } from './partners.ts';

const outcomeOf: Readonly<Record<SentCommand['outcome'], SendOutcome>> = {
  answered: SendOutcome.ANSWERED,
  unreachable: SendOutcome.UNREACHABLE,
  unclear: SendOutcome.UNCLEAR,
  'no-partner': SendOutcome.NO_PARTNER,
};

@Controller()
export class AskController {
  constructor(
    @Inject(OcpiGateway) private readonly gateway: OcpiGateway,
    @Inject(Partners) private readonly partners: Partners,
  ) {}

  @Answers(sendCommand)
  sendCommand(requests: SendCommand[]) {
    return each(requests, async ({ orderId, party, command, bodyJson }) => {
      const { outcome, ...sent } = await this.gateway.sendCommand({ orderId, party: fromBus(party!), command, bodyJson });
      return { ...sent, outcome: outcomeOf[outcome] };
    });
  }

  @Answers(authorizeAtPartner)
  authorizeAtPartner(requests: AuthorizeAtPartner[]) {
    return each(requests, async ({ party, ...question }) => {
      const { outcome, info } = await this.gateway.authorize({ ...question, party: fromBus(party!) });
      return { outcome: outcomeOf[outcome], ...(info ? { authorizationInfoJson: toJsonBytes(info) } : {}) };
    });
  }

  @Answers(invitePartner)
  invitePartner(requests: InvitePartner[]) {
    return each(requests, async ({ name }) => {
      const { partner, tokenA } = await this.partners.invite(name);
      return { partnerId: partner.id, tokenA, versionsUrl: this.partners.versionsUrl() };
    });
  }

  @Answers(registerPartner)
  registerPartner(requests: RegisterPartner[]) {
    return each(requests, async (request) => view(await this.partners.register(request), 0));
  }

  @Answers(listPartners)
  listPartners(requests: ListPartners[]) {
    return each(requests, async () => ({
      partners: (await this.partners.list()).map(({ partner, waiting, parked }) => view(partner, waiting + parked)),
    }));
  }
}

function view(partner: Partner, waiting: number) {
  return {
    partnerId: partner.id,
    name: partner.name,
    state: partner.state,
    version: partner.version,
    versionsUrl: partner.versionsUrl,
    waiting,
    lastError: partner.lastError,
    roles: partner.roles.map((role) => ({ role: role.role, party: toBus(role), name: role.business_details.name })),
  };
}
