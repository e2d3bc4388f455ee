export { createHttpApp, type HttpOptions } from './app.ts';
export { ConnectionRecorder } from './connections.ts';
export {
  type Access,
  clientPaths,
  endpoint,
  type Endpoint,
  type EndpointRequest,
  type Method,
  type RateLimitClass,
  Reply,
} from './endpoint.ts';
export { listen, type Listener } from './listen.ts';
export { hashToken, newToken } from './tokens.ts';
