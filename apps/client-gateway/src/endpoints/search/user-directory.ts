import type { RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

const usualLimit = 10;
const largestLimit = 50;
const longestTerm = 255;

/** `POST /user_directory/search`. */
export const searchUsers = (deps: { roomserver: Pick<RoomserverForClient, 'searchUsers'> }): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/user_directory/search'),
    access: 'user',
    rateLimit: 'read',
    summary: 'Finds users by their names, as far as rooms show them',
    body: z.object({
      search_term: z.string().max(longestTerm),
      limit: z.int().min(0).default(usualLimit),
    }),
    answer: z.object({
      results: z.array(
        z.object({
          user_id: z.string(),
          display_name: z.string().optional(),
          avatar_url: z.string().optional(),
        }),
      ),
      limited: z.boolean(),
    }),
    handle: async ({ body: { search_term: term, limit }, requester: { userId } }) => {
      const asked = { term, limit: Math.min(limit, largestLimit) };
      const { users, isLimited } = await deps.roomserver.searchUsers(userId, asked);
      return {
        results: users.map(({ userId: id, displayname, avatarUrl }) => ({
          user_id: id,
          ...(displayname === null ? {} : { display_name: displayname }),
          ...(avatarUrl === null ? {} : { avatar_url: avatarUrl }),
        })),
        limited: isLimited,
      };
    },
  });
