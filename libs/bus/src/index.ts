export { Bus, type BusOptions, type CallBus, type WakeBus } from './bus.ts';
export type { CallOptions } from './caller.ts';
export { closeWorker } from './close-worker.ts';
export type { Consumer, LogEntry } from './consumer.ts';
export { busMigrations } from './migrations.ts';
export { checkRedis, connectRedis, RedisRefused } from './redis.ts';
export { type CommandContext, handle, type Handler } from './server.ts';
