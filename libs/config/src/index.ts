export { ConfigError, loadConfig, type Config } from './config.ts';
export { configurationPage } from './documentation.ts';
export type { Setting } from './setting.ts';
export { settings } from './settings.ts';
export { isNetwork } from './setting.ts';
