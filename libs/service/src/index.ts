export { federationTls } from './federation-tls.ts';
export { type Gateway, startGateway } from './gateway.ts';
export { healthEndpoints } from './health.ts';
export { metricsEndpoint, serveMetrics } from './metrics.ts';
export { openPlatform, type Platform, type PlatformOptions, startOn } from './platform.ts';
export { defaultConfigFile, readConfig } from './read-config.ts';
export { type Host, runService, type ServiceDefinition } from './run-service.ts';
export { serve, type ServeOptions } from './serve.ts';
export { explainStart, StartError } from './start-error.ts';
