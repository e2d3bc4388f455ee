import { handle, type Handler } from '@seneschal/bus';
import { federation } from '@seneschal/contracts';

import { blockServer, unblockServer } from './commands/block-server.ts';
import { downloadState, type DownloadStateDeps } from './commands/download-state.ts';
import { resetDestination, type ResetDestinationDeps } from './commands/reset-destination.ts';

/** The commands by which administrators look after other servers. */
export function administration(deps: ResetDestinationDeps & DownloadStateDeps): Handler[] {
  return [
    handle(federation.resetDestination, (input) => resetDestination(deps, input)),
    handle(federation.blockServer, (input) => blockServer(deps, input)),
    handle(federation.unblockServer, (input) => unblockServer(deps, input)),
    handle(federation.rehearseDownload, (input) => downloadState(deps, { ...input, isRehearsal: true })),
  ];
}
