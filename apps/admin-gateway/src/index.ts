export { adminEndpoints } from './endpoints/index.ts';
export { adminGateway, adminGatewayEndpoints } from './gateway.ts';
