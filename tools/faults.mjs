// All of the faults that tools/faults knows; `npm test` does a part of them.
import { runFullForm } from './shared/full-form.mjs';

const help = `npm run test:faults [-- JOB [WORD …]]

Runs jobs on two workers that are processes of their own, kills, stops and empties what they need, and holds the
end against that of an undisturbed run. All of it takes hours, most of them the bulk purge; a JOB and WORDs choose
the tests whose names hold the words in this order:

  evacuation      of a room of 500 local users
  purge           of a room of 20,000 events
  bulk purge      of 8 rooms, each by a job of its own

  npm run test:faults -- purge
  npm run test:faults -- purge killed delete
  npm run test:faults -- bulk purge PostgreSQL

  --help          this text
`;

await runFullForm({ help, project: 'tools/faults', variable: 'SENESCHAL_FAULTS' });
