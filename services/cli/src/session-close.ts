import { portalVerb } from './portal-verb.ts';
import { type Option, optionOf, WrongUsage } from './verb.ts';

export const sessionClose = portalVerb({
  usage: 'PARTY SESSION --reason TEXT [options]',
  about: `Ends a charge of ours of which its station will not say that it stopped, for it is gone for good or has lost the word of it: it is
billed to its newest meter reading, and the reason stands among the findings of its CDR. Refused while the station is connected, unless it says that
nobody charges there and, asked to stop the charge, that it does not know it. Should it tell the end after all, that is an error in the log of
ocpp-gateway, and the CDR may have to be corrected (POST /v1/operator/cdrs/<cdr>/correct).
PARTY is the operator, such as CA*BCT. Sessions that run: GET /v1/operator/sessions?open=true of the portal.`,
  options: { reason: { type: 'string', value: 'TEXT', help: 'why, in up to 200 characters; name no person' } satisfies Option },
  examples: [
    ["npx roamwatt session close 'CA*BCT' 20220201-K7QXW2MZ4ABC --reason 'the station burned down' --url http://127.0.0.1:8080", 'end it'],
  ],
  async ask(given, portal) {
    const [party = '', session_id, ...more] = given.files;
    const [, country_code, party_id] = /^([A-Za-z]{2})\*([A-Za-z0-9]{3})$/.exec(party) ?? [];
    if (country_code === undefined || session_id === undefined || more.length > 0) throw new WrongUsage("give a party such as 'CA*BCT' and its session's id");
    const reason = optionOf(given, 'reason');
    if (!reason) throw new WrongUsage('give --reason');
    const path = `/v1/operator/sessions/${country_code}/${party_id}/${encodeURIComponent(session_id)}/close`;
    return portal.call<{ closed: boolean }>('POST', path, { reason });
  },
  text: ({ closed }) => (closed ? 'It is ended. Its CDR follows.' : 'It was over before.'),
});
