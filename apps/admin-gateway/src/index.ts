export { adminEndpoints } from './endpoints/index.ts';
export { adminGateway } from './gateway.ts';
