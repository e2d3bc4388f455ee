export { type Homeserver, type HomeserverOptions, startHomeserver } from './homeserver.ts';
