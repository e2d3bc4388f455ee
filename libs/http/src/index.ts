export { createHttpApp, type HttpOptions } from './app.ts';
export { jobHeader } from './audit/recorded-call.ts';
export { ConnectionRecorder } from './connections.ts';
export {
  type Access,
  clientPaths,
  type ContentType,
  endpoint,
  type Endpoint,
  type EndpointRequest,
  type Method,
  type RateLimitClass,
  Reply,
} from './endpoint.ts';
export { listen, type Listener, type Tls } from './listen.ts';
export { openApiDocument } from './openapi/document.ts';
export { withDescription } from './openapi/endpoints.ts';
export { type OpenApiDocument, type Operation } from './openapi/types.ts';
export { newAdminToken } from './machine.ts';
export { requesterOf } from './pipeline.ts';
export { accessToken, hashToken, newToken } from './tokens.ts';
