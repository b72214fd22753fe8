import { type Check, checks, type Conformance, conformance as tryPlatform, counts, reportText, rules } from '#ocpi-conformance';
import type { Terminal } from './terminal.ts';
import { type Given, optionOf, type Verb, WrongUsage } from './verb.ts';

export const conformance: Verb = {
  usage: 'VERSIONS-URL --token TOKEN [options]',
  about: `Tries an OCPI 2.2.1 platform, of a CPO, an eMSP or a hub, by the ${rules.length} rules of the protocol: a verdict for each
(pass, fail, not tested and why, not applicable), and for what fails what was sent, what came back, and what was
expected. It registers as a partner with the registration token (TOKEN_A), asks and pushes, lets the platform
call it back, and ends the link. It needs an address that the platform reaches: --listen, and --public-url
where that is another one.

What it writes it takes away again where OCPI lets it. What OCPI lets nobody delete it leaves harmless, with
"KIT-" in its id: a Location that is not published, with REMOVED EVSEs; Tokens that are never valid; Sessions
that ended; a CDR of 0.01 and its Credit CDR. It starts no charge, unless --charge-at says where. With
--read-only it writes nothing at all, does not register either, and reads what the token opens. Behind a hub it
is two parties, CA*KIT and CA*KI2, that speak to each other; with --member-token it is another member, CA*KI4, too.
A platform that asks for whom a token is has to be told all of these: a registration as others is refused.

Checks, by which --only and --skip choose (a part of the name is enough)
${checks.map(({ name, writes }) => `  ${name}${writes ? `\n      writes ${writes}` : ''}`).join('\n')}`,
  options: {
    token: { type: 'string', value: 'TOKEN', help: 'the registration token, as it is (not Base64)' },
    role: {
      type: 'string',
      value: 'cpo|emsp|hub',
      multiple: true,
      help: 'what has to be there; else what the platform lists is tried',
    },
    party: { type: 'string', value: 'CC*PID', help: 'as whom the kit registers, as CPO and EMSP (CA*KIT)' },
    listen: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'where the kit waits for the platform’s calls (127.0.0.1, any port)',
    },
    'public-url': { type: 'string', value: 'URL', help: 'as what the platform reaches that' },
    'charge-at': { type: 'string', value: 'LOCATION/EVSE', help: 'where a charge may really be started and stopped; LOCATION alone leaves the EVSE to the platform' },
    'member-token': {
      type: 'string',
      value: 'TOKEN',
      help: 'of a hub: a second registration token, for a member that hears what is told to everybody',
    },
    'read-only': {
      type: 'boolean',
      help: 'write nothing, and do not register: the token is one of a link that stands',
    },
    only: { type: 'string', value: 'CHECK', multiple: true, help: 'only checks with this in their name' },
    skip: { type: 'string', value: 'CHECK', multiple: true, help: 'not the checks with this in their name' },
    timeout: { type: 'string', value: 'SECONDS', help: 'for one answer (5)' },
    minutes: { type: 'string', value: 'N', help: 'for everything; then it ends the link (10)' },
    json: { type: 'boolean', help: 'the report as one JSON object' },
  },
  examples: [
    ['npx roamwatt conformance http://127.0.0.1:8080/ocpi/versions --token secret', 'tries a platform on this machine'],
    [
      'npx roamwatt conformance https://cpo.example/ocpi/versions --token secret --listen 0.0.0.0:9000 --public-url https://kit.example',
      'tries one elsewhere, which calls back to kit.example',
    ],
    [
      'npx roamwatt conformance https://cpo.example/ocpi/versions --token secret --read-only --json',
      'reads what an existing link opens',
    ],
    [
      'npx roamwatt conformance http://127.0.0.1:8080/ocpi/versions --token secret --charge-at SITE-1/EVSE-1',
      'also starts a charge there, and stops it',
    ],
  ],
  run,
};

async function run(given: Given, { out, err, status }: Terminal): Promise<0 | 1 | 2> {
  const wanted = wantedOf(given);
  if (!given.flags.has('json')) err(writing(wanted));
  // Interrupted, the kit still ends the link.
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const report = await tryPlatform({
    ...wanted, signal: stopping.signal, progress: (done, of, check) => status?.(`${done + 1}/${of} ${check}`),
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.syscall !== 'listen') throw error;
    throw new WrongUsage(`--listen: ${error.message}. Choose another address or port`);
  }).finally(() => {
    status?.('');
    process.off('SIGINT', stop).off('SIGTERM', stop);
  });
  const roles = (given.options['role'] ?? []).map((role) => role.toUpperCase());
  const absent = roles.filter((role) => !report.roles.some((one) => one.startsWith(`${role} `)));
  const { versionsUrl: versions_url, ...rest } = report;
  out.line(given.flags.has('json') ? JSON.stringify({ versions_url, ...rest, counts: counts(report) }) : reportText(report));
  for (const role of absent) err(`The platform has no role ${role}, which was asked for with --role.`);
  if (report.unlinked !== undefined) err(`The kit was no partner of the platform, so that what needs a link was not tried: ${report.unlinked}.`);
  const { fail, pass } = counts(report);
  return fail > 0 || absent.length > 0 || pass === 0 || report.unlinked !== undefined ? 1 : 0;
}

function wantedOf(given: Given): Conformance {
  const [versionsUrl, ...more] = given.files;
  if (versionsUrl === undefined || more.length > 0)
    throw new WrongUsage('one versions URL is needed, such as https://cpo.example/ocpi/versions');
  if (!/^https?:\/\//i.test(versionsUrl) || !URL.canParse(versionsUrl)) throw new WrongUsage(`${versionsUrl} is no http(s) URL`);
  const token = optionOf(given, 'token');
  if (token === undefined || !/^[\x21-\x7e]{1,64}$/.test(token))
    throw new WrongUsage('--token: 1 to 64 printable characters, the token as it is');
  for (const role of given.options['role'] ?? [])
    if (!/^(cpo|emsp|hub)$/i.test(role)) throw new WrongUsage(`--role ${role}: cpo, emsp or hub`);
  const party = /^([A-Za-z]{2})\*([A-Za-z0-9]{1,3})$/.exec(optionOf(given, 'party') ?? 'CA*KIT');
  if (!party) throw new WrongUsage('--party: country and party id, such as CA*KIT');
  const only = checksNamed(given, 'only');
  const skip = checksNamed(given, 'skip');
  const publicUrl = optionOf(given, 'public-url');
  if (publicUrl !== undefined && !/^https?:\/\//i.test(publicUrl)) throw new WrongUsage('--public-url: an http(s) URL');
  const chargeAt = optionOf(given, 'charge-at');
  if (chargeAt !== undefined && !/^[^/]+(\/[^/]+)?$/.test(chargeAt)) throw new WrongUsage('--charge-at: LOCATION/EVSE, such as SITE-1/EVSE-1, or a Location alone');
  const memberToken = optionOf(given, 'member-token');
  if (memberToken !== undefined && !/^[\x21-\x7e]{1,64}$/.test(memberToken))
    throw new WrongUsage('--member-token: 1 to 64 printable characters, the token as it is');
  return {
    versionsUrl, token,
    party: { country_code: party[1]!.toUpperCase(), party_id: party[2]!.toUpperCase() },
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(chargeAt === undefined ? {} : { chargeAt }),
    ...(memberToken === undefined ? {} : { memberToken }),
    listen: listenAt(optionOf(given, 'listen')),
    readOnly: given.flags.has('read-only'),
    only, skip,
    timeoutMs: 1_000 * numberOf(given, 'timeout', 5, 120),
    minutes: numberOf(given, 'minutes', 10, 600),
  };
}

function checksNamed(given: Given, option: 'only' | 'skip'): readonly string[] {
  const parts = given.options[option] ?? [];
  const unknown = parts.find((part) => !checks.some(({ name }) => name.includes(part)));
  if (unknown !== undefined) throw new WrongUsage(`--${option} ${unknown}: no check has that in its name; --help lists them`);
  return parts;
}

function listenAt(text = '127.0.0.1:0'): { host: string; port: number } {
  const parts = /^(?:\[([0-9a-f:]+)\]|([^:]*)):(\d{1,5})$/i.exec(text);
  if (!parts || Number(parts[3]) > 65_535) throw new WrongUsage('--listen: HOST:PORT, such as 0.0.0.0:9000');
  return { host: parts[1] ?? (parts[2] || '127.0.0.1'), port: Number(parts[3]) };
}

function numberOf(given: Given, option: string, otherwise: number, most: number): number {
  const text = optionOf(given, option) ?? String(otherwise);
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (!(value > 0 && value <= most)) throw new WrongUsage(`--${option}: a number above 0, at most ${most}`);
  return value;
}

function writing(wanted: Conformance): string {
  const { readOnly, versionsUrl, publicUrl, listen } = wanted;
  if (readOnly) return 'Nothing is written.';
  const isFar = !/^https?:\/\/(127\.|localhost|\[::1\])/i.test(versionsUrl);
  const unreachable = isFar && publicUrl === undefined && listen?.host.startsWith('127.');
  const willWrite = checks.flatMap((check) => (mayWrite(check, wanted) ? [`  ${check.writes!}`] : []));
  return [
    'It may write, as far as the platform offers it:', ...willWrite,
    ...(unreachable ? ['The platform is elsewhere and cannot reach 127.0.0.1: give --listen and --public-url.'] : []),
  ].join('\n');
}

function mayWrite({ name, writes }: Check, { only = [], skip = [], chargeAt }: Conformance): boolean {
  if (writes === undefined || writes.startsWith('nothing') || skip.some((part) => name.includes(part))) return false;
  if (name === 'commands: a charge' && chargeAt === undefined) return false;
  return only.length === 0 || name.startsWith('credentials: registration') || only.some((part) => name.includes(part));
}
