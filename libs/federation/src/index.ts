export { startFederation } from './component.ts';
export { serverKeys, type ServerKeys } from './server-keys.ts';
export { loadSigner, loadSigningKey } from './signing-key.ts';
