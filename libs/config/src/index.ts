export { ConfigError, loadConfig, type Config } from './config.ts';
export { configurationPage } from './documentation.ts';
export { settings, type Setting } from './settings.ts';
