import type { CallBus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { type Notice, roomserver, userapi, type UserapiForClient } from '@seneschal/contracts';
import { forbidden, invalidParam, isJsonObject, makeUserId, notFound } from '@seneschal/matrix';

export type NoticesConfig = Pick<
  Config,
  'server_name' | 'server_notices_localpart' | 'server_notices_display_name' | 'server_notices_room_name'
>;

export interface SendNoticeDeps {
  bus: CallBus;
  userapi: Pick<UserapiForClient, 'account' | 'profile' | 'accountData'>;
  config: NoticesConfig;
}

export interface NoticeToUser extends Notice {
  userId: string;
  /** The same transaction to the same user is one notice, for ever. */
  transaction?: { deviceId: string; transactionId: string };
}

/** The tag by which clients know the room (client-server API, "Server Notices"). */
const tag = 'm.server_notice';

export function noticesUserId(config: NoticesConfig): string {
  return makeUserId(config.server_notices_localpart, config.server_name);
}

/**
 * Sends a notice: finds or makes the user's room, tags it, and sends the event. Each part is done once however
 * often it is tried, so this may be repeated from the beginning. M_NOT_FOUND for who has no account any more.
 */
export async function sendNotice(deps: SendNoticeDeps, notice: NoticeToUser): Promise<{ eventId: string }> {
  const { userId, type, stateKey, content, transaction } = notice;
  const sender = noticesUserId(deps.config);
  if (userId === sender) throw invalidParam('Notices do not go to the account that they come from.');
  const account = await deps.userapi.account(userId);
  if (account === undefined) throw notFound('There is no such user.');
  if (account.isDeactivated) throw notFound('The account is deactivated.');
  if (type === 'm.room.member') throw forbidden('A notice changes nobody’s membership.');
  await ensureAccount(deps, sender);
  const { roomId } = await deps.bus.call(roomserver.openNoticeRoom, {
    userId,
    profile: await profileOf(deps, userId),
    sender,
    senderName: deps.config.server_notices_display_name,
    roomName: deps.config.server_notices_room_name,
  });
  await ensureTag(deps, userId, roomId);
  return deps.bus.call(roomserver.sendEvent, { roomId, sender, type, stateKey, content, transaction });
}

async function ensureAccount(deps: SendNoticeDeps, sender: string): Promise<void> {
  if ((await deps.userapi.account(sender)) !== undefined) return;
  await deps.bus.call(userapi.ensureNoticesAccount, {
    localpart: deps.config.server_notices_localpart,
    displayname: deps.config.server_notices_display_name,
  });
}

async function profileOf(
  deps: SendNoticeDeps,
  userId: string,
): Promise<{ displayname?: string; avatarUrl?: string }> {
  const profile = await deps.userapi.profile(userId);
  const { displayname, avatarUrl } = profile ?? { displayname: null, avatarUrl: null };
  return {
    ...(displayname === null ? {} : { displayname }),
    ...(avatarUrl === null ? {} : { avatarUrl }),
  };
}

async function ensureTag(deps: SendNoticeDeps, userId: string, roomId: string): Promise<void> {
  const tags = (await deps.userapi.accountData(userId, roomId, 'm.tag'))?.['tags'];
  if (isJsonObject(tags) && Object.hasOwn(tags, tag)) return;
  await deps.bus.call(userapi.setRoomTag, { userId, roomId, tag, content: { order: 1 } });
}
