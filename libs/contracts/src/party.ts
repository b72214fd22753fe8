export {
  Change,
  type Changed,
  ChangedSchema,
  type Page,
  PageSchema,
  type PageRequest,
  PageRequestSchema,
  type Party,
  PartySchema,
} from './gen/roamwatt/party/v1/party_pb.ts';
