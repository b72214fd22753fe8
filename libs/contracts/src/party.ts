export {
  Change,
  type Changed,
  ChangedSchema,
  type Page,
  type PageEnd,
  PageEndSchema,
  PageSchema,
  type PageRequest,
  PageRequestSchema,
  type Party,
  PartySchema,
} from './gen/roamwatt/party/v1/party_pb.ts';
