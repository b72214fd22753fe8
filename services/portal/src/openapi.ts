import { z } from 'zod';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

const Failure = z.object({
  error: z.object({
    code: z.string().meta({ description: 'kebab-case, for programs' }),
    detail: z.string().meta({ description: 'what, where, and what to do, for people' }),
  }),
}).meta({ id: 'Error' });

/** The OpenAPI 3.1 document of a routing table: its schemas are those that requests are parsed with. */
export function openApi(routes: readonly Route[]): object {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Roamwatt portal', version: '1',
      description: 'Charging for drivers, and the operator\'s verbs. Energy, power and money are decimal text; '
        + 'instants are RFC 3339 in UTC.',
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        driver: { type: 'http', scheme: 'bearer' },
        operator: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      },
    },
  };
}

function operation(route: Route, schemas: Json): Json {
  const answer = schemaOf(route.answer, 'output', schemas);
  return {
    summary: route.summary,
    ...(route.who === 'anyone' ? {} : { security: [{ [route.who]: [] }] }),
    parameters: [
      ...parameters(route.params, 'path', schemas),
      ...parameters(route.query, 'query', schemas),
      ...(route.takesKey ? [{
        name: 'Idempotency-Key', in: 'header', required: false, description: 'the same on every try of one order',
        schema: { type: 'string', pattern: '^[A-Za-z0-9-]{1,36}$' },
      }] : []),
    ],
    ...(route.body ? {
      requestBody: { required: true, content: json(schemaOf(route.body, 'input', schemas)) },
    } : {}),
    responses: {
      [route.status]: {
        description: route.streams ? 'server-sent events named charge, each with this in its data' : 'done',
        content: {
          [route.streams ? 'text/event-stream' : 'application/json']: { schema: answer },
          ...Object.fromEntries((route.media ?? []).map((type) => [type, { schema: { type: 'string', format: 'binary' } }])),
        },
      },
      default: { description: 'refused or failed', content: json(schemaOf(Failure, 'output', schemas)) },
    },
  };
}

const json = (schema: Json) => ({ 'application/json': { schema } });

function parameters(schema: z.ZodObject | undefined, where: 'path' | 'query', schemas: Json): Json[] {
  if (!schema) return [];
  const made = schemaOf(schema, 'input', schemas) as { properties?: Json; required?: string[] };
  const { properties = {}, required = [] } = made;
  return Object.entries(properties).map(([name, its]) => (
    { name, in: where, required: where === 'path' || required.includes(name), schema: its }));
}

/** JSON Schema of 2020-12, as OpenAPI 3.1 has it; what has an id is put among the components. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const { $schema: _dialect, $defs = {}, id, ...made } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  for (const [name, { id: _id, ...definition }] of Object.entries($defs as Record<string, Json>)) {
    schemas[name] ??= moved(definition);
  }
  if (typeof id !== 'string') return moved(made);
  schemas[id] ??= moved(made);
  return { $ref: `#/components/schemas/${id}` };
}

function moved(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}
