// All that tools/peers does; `npm test` does less of it.
import { runFullForm } from './shared/full-form.mjs';

const help = `npm run test:peers [-- WORD …]

Runs two and three homeservers as processes of their own that share rooms, and meanwhile cuts and disturbs the network
between them, kills them, and sets their clocks wrong. All of it takes some minutes; WORDs choose the tests whose names
hold them in this order.

  --help          this text
`;

await runFullForm({ help, project: 'tools/peers', variable: 'SENESCHAL_PEERS' });
