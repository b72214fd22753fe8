import type { Context, Talks } from '#bus';
import { type Finding, isCode, isTest, projectOf, type Tree } from './tree.ts';

export const TALKS = 'deploy/talks.json';

/** Whose logs these are, beside that of the service's own name. */
const SECOND: Readonly<Partial<Record<Context, string>>> = { agreements: 'ocpi-gateway', 'partner-sessions': 'sessions' };

interface Contract {
  readonly kind: 'ask' | 'tell';
  /** `*`: of several, each of which answers it. */
  readonly context: Context | '*';
  /** As `Talks` has it. */
  readonly name: string;
}

/** What a project imports: contracts, and libs that may import others. */
interface Imports {
  readonly contracts: Set<Contract>;
  readonly libs: Set<string>;
}

/** With whom each service talks, by the contracts that it and the libs it stands on import. */
export function talksOf(tree: Tree): Record<string, Talks> {
  const imports = importsOf(tree);
  const services = [...tree.keys()].flatMap((path) => /^services\/([^/]+)\/src\/main\.ts$/.exec(path)?.[1] ?? []).sort();
  const told = new Set([...contractsOf(tree).values()].filter(({ kind }) => kind === 'tell').map(({ context }) => context));
  const talks = services.map((service) => [service, talksOfService(service, imports, told)] as const);
  // Who only hosts others, or only calls the portal, has nothing to say by itself.
  return Object.fromEntries(talks.filter(([, { asks, hears }]) => asks.length + hears.length > 0));
}

function talksOfService(service: string, imports: ReadonlyMap<string, Imports>, told: ReadonlySet<Contract['context']>): Talks {
  const seconds = (Object.keys(SECOND) as Context[]).filter((context) => SECOND[context] === service);
  const contexts = [service as Context, ...seconds];
  const projects = new Set([`services/${service}`]);
  // It grows while it is read.
  for (const project of projects) for (const lib of imports.get(project)?.libs ?? []) projects.add(lib);
  const used = new Set([...projects].flatMap((project) => [...imports.get(project)?.contracts ?? []]));
  const others = [...used].filter(({ context }) => !contexts.includes(context as Context));
  const names = (kind: Contract['kind']) => others.filter((one) => one.kind === kind).map(({ name }) => name).sort();
  return { contexts, tells: contexts.filter((context) => told.has(context)), asks: names('ask'), hears: names('tell') };
}

function importsOf(tree: Tree): Map<string, Imports> {
  const contracts = contractsOf(tree);
  const found = new Map<string, Imports>();
  for (const [path, text] of tree) {
    const project = projectOf(path);
    if (project === undefined || !path.startsWith(`${project}/src/`) || !isCode(path) || isTest(path)) continue;
    const imports = found.get(project) ?? { contracts: new Set(), libs: new Set() };
    found.set(project, imports);
    for (const [, names = '', lib = '', file = ''] of text.matchAll(/^import (?:type )?\{([^}]*)\} from '#([a-z-]+)(?:\/([^']*))?'/gm)) {
      if (lib !== 'contracts') {
        imports.libs.add(`libs/${lib}`);
        continue;
      }
      for (const name of names.split(',')) {
        const contract = contracts.get(`${file} ${name.trim().split(' ')[0]}`);
        // What is asked of several is answered by a lib, in the name of its service.
        if (contract && !(contract.context === '*' && project.startsWith('libs/'))) imports.contracts.add(contract);
      }
    }
  }
  return found;
}

/** By the file that defines it, and the name of its constant there. */
function contractsOf(tree: Tree): Map<string, Contract> {
  const found = new Map<string, Contract>();
  for (const [path, text] of tree) {
    const file = /^libs\/contracts\/src\/([^/]+)\.ts$/.exec(path)?.[1];
    if (file === undefined) continue;
    const ofFile = /^const context = '([^']+)'/m.exec(text)?.[1];
    const definitions = /^export (const \w+ = |function \w+\(.*?\) \{\n {2}return )(ask|tell)\(\{(.*?)^ *\}\)/gms;
    for (const [, head = '', kind = '', body = ''] of text.matchAll(definitions)) {
      const said = (member: string) => new RegExp(`^ *${member}: '([^']+)'`, 'm').exec(body)?.[1];
      const [how, constant = ''] = head.split(/[ (]/) as [string, string];
      const context = how === 'function' ? '*' : (said('context') ?? ofFile) as Context;
      const rest = kind === 'ask' ? [said('verb'), ...(/^ *to:/m.test(body) ? ['*'] : [])] : [said('thing'), said('happened')];
      found.set(`${file} ${constant}`, { kind: kind as Contract['kind'], context, name: [context, ...rest].join('.') });
    }
  }
  return found;
}

export function talksText(tree: Tree): string {
  return `${JSON.stringify(talksOf(tree), undefined, 2)}\n`;
}

/** What a service may say over NATS follows from it, and is looked at where it changes. */
export function declaredTalks(tree: Tree): Finding[] {
  if (!tree.has(TALKS) || tree.get(TALKS) === talksText(tree)) return [];
  return [{ rule: 'declared talks', at: TALKS, what: 'services talk otherwise by now: npm run tidy -- --declare' }];
}
