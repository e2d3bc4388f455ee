export type JsonSchema = Record<string, unknown>;

export interface Parameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  schema: JsonSchema;
  description?: string;
}

type Content = Record<string, { schema: JsonSchema }>;

export type Responses = Record<string, { description: string; content?: Content }>;

export interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  /** Who may call: public, user or admin. */
  'x-access': string;
  security?: Record<string, string[]>[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Content } | undefined;
  responses: Responses;
}

/** The part of OpenAPI 3.1 that is made of declared endpoints. */
export interface OpenApiDocument {
  openapi: '3.1.0';
  info: { title: string; version: string; license: { name: string; identifier: string } };
  servers: { url: string }[];
  tags: { name: string }[];
  /** By path and, in small letters, method. */
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, JsonSchema> };
}
