import type { Endpoint } from '../endpoint.ts';
import { jsonSchema } from './schema.ts';
import type { JsonSchema, Parameter } from './types.ts';

/**
 * How each path is written in OpenAPI: `{name}` for `:name`. Paths that differ in the names of their
 * parameters alone are one path there, so they are written as the first of them.
 */
export function pathTemplates(endpoints: readonly Endpoint[]): (path: string) => string {
  const templates = new Map<string, string>();
  for (const path of endpoints.flatMap(({ paths }) => paths)) {
    const shape = shapeOf(path);
    if (!templates.has(shape)) templates.set(shape, path.replace(/:(\w+)/g, '{$1}'));
  }
  return (path) => templates.get(shapeOf(path)) ?? path;
}

function shapeOf(path: string): string {
  return path.replace(/:\w+/g, ':');
}

/** The parameters of an endpoint in its path and its query. */
export function parametersOf(endpoint: Endpoint, path: string, template: string): Parameter[] {
  const { properties } = propertiesOf(endpoint.params);
  const shown = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name], index) => ({
    name: shown[index] ?? '',
    in: 'path' as const,
    required: true,
    schema: properties[name ?? ''] ?? { type: 'string' },
  }));
  const query = propertiesOf(endpoint.query);
  const inQuery = Object.entries(query.properties).map(([name, schema]) => ({
    name,
    in: 'query' as const,
    required: query.required.includes(name),
    schema,
  }));
  return [...inPath, ...inQuery];
}

function propertiesOf(schema: Endpoint['params']): {
  properties: Record<string, JsonSchema>;
  required: string[];
} {
  if (schema === undefined) return { properties: {}, required: [] };
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return { properties, required };
}
