export { AddressRefused, NetworkGuard } from './network-guard.ts';
export { Networks } from './networks.ts';
