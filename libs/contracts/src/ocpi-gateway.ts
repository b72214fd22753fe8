import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  AuthorizeAtPartnerSchema,
  CdrDeliveredSchema,
  CommandSentSchema,
  DeliveryFailedSchema,
  InvitePartnerSchema,
  ListPartnersSchema,
  PartnerAuthorizedSchema,
  PartnerInvitedSchema,
  PartnerRegisteredSchema,
  PartnerViewSchema,
  PartnersListedSchema,
  RegisterPartnerSchema,
  SendCommandSchema,
} from './gen/roamwatt/ocpi_gateway/v1/ocpi_gateway_pb.ts';

export {
  type AuthorizeAtPartner,
  AuthorizeAtPartnerSchema,
  type CdrDelivered,
  CdrDeliveredSchema,
  type CommandSent,
  CommandSentSchema,
  type DeliveryFailed,
  DeliveryFailedSchema,
  type InvitePartner,
  InvitePartnerSchema,
  type ListPartners,
  ListPartnersSchema,
  type PartnerAuthorized,
  PartnerAuthorizedSchema,
  type PartnerInvited,
  PartnerInvitedSchema,
  type PartnerRegistered,
  PartnerRegisteredSchema,
  type PartnerRole,
  PartnerRoleSchema,
  type PartnerView,
  PartnerViewSchema,
  type PartnersListed,
  PartnersListedSchema,
  type RegisterPartner,
  RegisterPartnerSchema,
  type SendCommand,
  SendCommandSchema,
  SendOutcome,
} from './gen/roamwatt/ocpi_gateway/v1/ocpi_gateway_pb.ts';

const context = 'ocpi-gateway';

export const sendCommand = ask({
  context,
  verb: 'send-command',
  request: SendCommandSchema,
  answer: CommandSentSchema,
  check: filled('orderId', 'party', 'command', 'bodyJson'),
});

export const authorizeAtPartner = ask({
  context,
  verb: 'authorize-at-partner',
  request: AuthorizeAtPartnerSchema,
  answer: PartnerAuthorizedSchema,
  check: filled('party', 'uid', 'type'),
});

export const invitePartner = ask({
  context,
  verb: 'invite-partner',
  request: InvitePartnerSchema,
  answer: PartnerInvitedSchema,
  check: filled('name'),
});

export const registerPartner = ask({
  context,
  verb: 'register-partner',
  request: RegisterPartnerSchema,
  answer: PartnerViewSchema,
  check: filled('name', 'versionsUrl', 'tokenA'),
});

export const listPartners = ask({
  context,
  verb: 'list-partners',
  request: ListPartnersSchema,
  answer: PartnersListedSchema,
  check: filled(),
});

export const partnerRegistered = tell({
  context,
  thing: 'partner',
  happened: 'registered',
  fact: PartnerRegisteredSchema,
  key: (fact) => fact.partnerId,
  check: filled('partnerId', 'roles'),
});

export const cdrDelivered = tell({
  context,
  thing: 'cdr',
  happened: 'delivered',
  fact: CdrDeliveredSchema,
  key: (fact) => fact.cdrId,
  check: filled('cdrId', 'tokenParty'),
});

export const deliveryFailed = tell({
  context,
  thing: 'delivery',
  happened: 'failed',
  fact: DeliveryFailedSchema,
  key: (fact) => fact.partnerId,
  check: filled('partnerId', 'module'),
});
