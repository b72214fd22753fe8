import {
  type Finding,
  importsOf,
  isCode,
  isTest,
  lineAt,
  projectOf,
  resolved,
  type Tree,
} from './tree.ts';

/** One explicit barrel per lib: every exported name is written down. */
export function explicitExports(tree: Tree): Finding[] {
  return [...tree].flatMap(([path, text]) => {
    if (!isCode(path)) return [];
    return [...text.matchAll(/^[ \t]*export\s+(?:type\s+)?\*/gm)].map((match) => ({
      rule: 'explicit exports',
      at: `${path}:${lineAt(text, match.index)}`,
      what: 'name what is exported',
    }));
  });
}

/** Projects see each other through the libs' barrels; a host (`kind:host`) may import services. */
export function closedProjects(tree: Tree): Finding[] {
  return relativeImports(tree).flatMap(({ path, from, line }) => {
    const [own, target] = [projectOf(path), projectOf(`${from}/`)];
    if (target === undefined || target === own) return [];
    const finding = (what: string) => [{ rule: 'closed projects', at: `${path}:${line}`, what }];
    if (target.startsWith('services/')) {
      if (own !== undefined && isHost(tree, own)) return [];
      if (own === undefined && isHost(tree, target)) return [];
      return finding(`${target} is a service: only a host may import it`);
    }
    // Scripts may run without the package imports; libs and services go through the barrel.
    return own === undefined ? [] : finding(`import ${target} as #${target.slice('libs/'.length)}`);
  });
}

/** `implicitDependencies` of project.json lists exactly what the project imports. */
export function declaredDependencies(tree: Tree): Finding[] {
  const manifests = projects(tree);
  return [...wantedDependencies(tree)].flatMap(([project, wanted]) => {
    const declared = manifests.get(project)?.implicitDependencies ?? [];
    const finding = (what: string): Finding => ({
      rule: 'declared dependencies',
      at: `${project}/project.json`,
      what,
    });
    return [
      ...wanted
        .filter((name) => !declared.includes(name))
        .map((name) =>
          finding(
            `imports ${name} (${usedBy(tree).get(project)?.get(name)}) and does not declare it`,
          ),
        ),
      ...declared
        .filter((name) => !wanted.includes(name))
        .map((name) => finding(`declares ${name} and has no import that needs it`)),
    ];
  });
}

/** For each project the dependencies that its project.json should declare. */
export function wantedDependencies(tree: Tree): Map<string, string[]> {
  const used = usedBy(tree);
  return new Map(
    [...projects(tree).keys()].map((project) => [
      project,
      [...(used.get(project)?.keys() ?? [])].filter((name) => !project.endsWith(`/${name}`)).sort(),
    ]),
  );
}

export function noCycles(tree: Tree): Finding[] {
  const graph = new Map(
    [...projects(tree)].map(([project, manifest]) => [
      project.split('/')[1] ?? '',
      manifest.implicitDependencies ?? [],
    ]),
  );
  const done = new Set<string>();
  const cycles: string[][] = [];
  const visit = (name: string, way: readonly string[]): void => {
    if (way.includes(name)) cycles.push([...way.slice(way.indexOf(name)), name]);
    if (way.includes(name) || done.has(name)) return;
    for (const next of graph.get(name) ?? []) visit(next, [...way, name]);
    done.add(name);
  };
  for (const name of graph.keys()) visit(name, []);
  return cycles.map((cycle) => ({
    rule: 'no cycles',
    at: `libs/${cycle[0]}/project.json`,
    what: cycle.join(' → '),
  }));
}

/** Types generated from proto/ are seen through the contracts. */
export function hiddenGenerated(tree: Tree): Finding[] {
  return codeImports(tree)
    .filter(({ path, from }) => /_pb(\.[jt]s)?$/.test(from) && projectOf(path) !== 'libs/contracts')
    .map(({ path, line }) => ({
      rule: 'generated code stays hidden',
      at: `${path}:${line}`,
      what: 'import it from #contracts',
    }));
}

interface Manifest {
  readonly tags?: readonly string[];
  readonly implicitDependencies?: readonly string[];
}

function projects(tree: Tree): Map<string, Manifest> {
  return new Map(
    [...tree].flatMap(([path, text]) => {
      const project = /^((?:libs|services)\/[^/]+)\/project\.json$/.exec(path)?.[1];
      return project ? [[project, JSON.parse(text) as Manifest]] : [];
    }),
  );
}

function isHost(tree: Tree, project: string): boolean {
  return projects(tree).get(project)?.tags?.includes('kind:host') ?? false;
}

/** For each project the others it imports, with the place. Every test may use the test servers. */
function usedBy(tree: Tree): Map<string, Map<string, string>> {
  const used = new Map<string, Map<string, string>>();
  for (const { path, from, line } of codeImports(tree)) {
    const own = projectOf(path);
    const name = from.startsWith('#')
      ? from.slice(1).split('/')[0]
      : projectOf(`${resolved(path, from)}/`)?.split('/')[1];
    if (own === undefined || name === undefined || (!from.startsWith('#') && !from.startsWith('.')))
      continue;
    if (isTest(path) && name === 'test-servers') continue;
    const names = used.get(own) ?? new Map<string, string>();
    if (!names.has(name)) names.set(name, `${path}:${line}`);
    used.set(own, names);
  }
  return used;
}

function codeImports(tree: Tree): { path: string; from: string; line: number }[] {
  return [...tree].flatMap(([path, text]) =>
    isCode(path) ? importsOf(text).map((one) => ({ path, ...one })) : [],
  );
}

function relativeImports(tree: Tree): { path: string; from: string; line: number }[] {
  return codeImports(tree)
    .filter(({ from }) => from.startsWith('.'))
    .map(({ path, from, line }) => ({ path, from: resolved(path, from), line }));
}
