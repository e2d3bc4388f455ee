// All of the faults that tools/faults knows; `npm test` does a part of them.
process.env.SENESCHAL_FAULTS = 'full';
process.argv.push('--project', 'tools/faults');
await import('./test.mjs');
