import { runService } from '@seneschal/service';

import { componentNames } from './components.ts';
import { startWorker } from './worker.ts';

await runService(process, {
  name: 'worker',
  summary: `Runs components (${componentNames.join(', ')}): those named, or all of them.`,
  words: 'COMPONENT …',
  start: startWorker,
});
