import type { Config } from '@seneschal/config';
import type { Endpoint } from '@seneschal/http';
import type { SendNoticeDeps } from '@seneschal/userapi';

import { sendNotices, type SendNoticesDeps } from './send-notices.ts';
import { putServerNotice, sendServerNotice } from './send-server-notice.ts';

export type NoticesDeps = SendNoticeDeps & SendNoticesDeps & { config: Pick<Config, 'server_notices'> };

/** Server notices; none of these endpoints exists where they are off. */
export function noticeEndpoints(deps: NoticesDeps): Endpoint[] {
  if (!deps.config.server_notices) return [];
  return [sendServerNotice(deps), putServerNotice(deps), sendNotices(deps)];
}
