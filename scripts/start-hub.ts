import { secret } from './start-example.ts';

/** The roamwatt.yaml of a hub: it has no chargers and no drivers, only members that it connects. */
export function hubSettings(): string {
  return `# The settings of a hub: partners register with it once, and reach each other through it.
# Nothing is charged or billed here; what members tell one another passes by and is not kept.

party:
  country_code: CA           # ISO 3166-1 alpha-2
  party_id: HUB              # three letters or digits: ask your national registry for one of your own
  name: My Hub
  roles: [HUB]               # alone: a hub is nothing else

# Who meets whom. As it is, every CPO meets every eMSP.
# hub:
#   only: [[CA*AAA, CA*BBB], [CA*AAA, CA*CCC]]   # these pairs see and reach each other, and no others do
#   never: [[CA*AAA, CA*DDD]]                    # all do but these
#   planned: [{ country_code: CA, party_id: EEE, role: CPO }]   # members are told that it will join
#   quiet_s: 300             # after so much silence of a member the hub asks whether it is alive

portal:
  operator_keys: [${secret()}]   # sent as X-Api-Key to the operator's part of the portal

ocpi:
  allow_private_urls: false  # true lets members' URLs be http and point into private networks: for tests only
`;
}
