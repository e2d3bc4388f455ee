import { z } from 'zod';

import type { KindOfReports } from './of-kind.ts';
import { common, toCommon } from './shapes.ts';

const ofRoom = { room_id: z.string(), canonical_alias: z.string(), name: z.string() };

/** Synapse's lists of reports of events and of users, and one like them of rooms. */
export const kindsOfReports: readonly KindOfReports[] = [
  {
    kind: 'event',
    noun: 'an event',
    report: z.object({ ...common, score: z.number(), event_id: z.string(), sender: z.string(), ...ofRoom }),
    toReport: (report) => ({
      ...toCommon(report),
      score: report.score,
      room_id: report.roomId ?? '',
      event_id: report.eventId ?? '',
      sender: report.sender ?? '',
      canonical_alias: report.canonicalAlias,
      name: report.roomName,
    }),
    more: {
      report: { event_json: z.looseObject({}).nullable() },
      what: 'the event as it was when it was reported',
      toMore: ({ event }) => ({ event_json: event }),
    },
    filters: { room_id: 'roomId', event_sender_user_id: 'sender' },
  },
  {
    kind: 'room',
    noun: 'a room',
    report: z.object({ ...common, ...ofRoom }),
    toReport: (report) => ({
      ...toCommon(report),
      room_id: report.roomId ?? '',
      canonical_alias: report.canonicalAlias,
      name: report.roomName,
    }),
    filters: { room_id: 'roomId' },
  },
  {
    kind: 'user',
    noun: 'a user',
    report: z.object({ ...common, target_user_id: z.string() }),
    toReport: (report) => ({ ...toCommon(report), target_user_id: report.targetUserId ?? '' }),
    filters: { target_user_id: 'targetUserId' },
  },
];
